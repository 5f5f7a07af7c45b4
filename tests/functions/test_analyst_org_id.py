"""app.analyst_org_id: the organization every policy of analysts stands on."""

from __future__ import annotations

import json

import psycopg
from checks import executors
from people import People

ASK = "select app.analyst_org_id() as id"


def test_it_goes_by_who_logged_in_and_by_nothing_a_session_can_set(people: People) -> None:
    people.conn.execute("insert into private.analyst_logins values (session_user, %s, 'Ann')", [people.orgs["ada"]])
    with people.as_role("postgres", {"sub": str(people.ids["eve"]), "role": "spendai_analyst"}):
        assert people.one(ASK)["id"] == people.orgs["ada"]


def test_who_has_no_login_of_that_kind_has_no_organization(people: People) -> None:
    assert people.one(ASK)["id"] is None
    people.conn.execute("insert into private.analyst_logins values (current_user, %s, 'Ann')", [people.orgs["ada"]])
    assert people.one(ASK)["id"] is None


def test_analysts_policies_run_it_but_nobody_calls_it_by_name(people: People) -> None:
    assert executors(people.conn, "analyst_org_id") == {"spendai_analyst"}
    with people.as_role("spendai_analyst"):
        assert "schema app" in str(people.refused("42501", ASK))
        people.refused("42501", "select * from private.analyst_logins")


def test_without_its_row_a_login_sees_nothing_from_the_next_statement_on(people: People) -> None:
    people.conn.execute("insert into private.analyst_logins values (session_user, %s, 'Ann')", [people.orgs["ada"]])
    query = "select * from public.projects"
    with people.as_role("spendai_analyst"):
        assert [row["id"] for row in people.all(query)] == [people.projects["ada"]]
    people.conn.execute("delete from private.analyst_logins")
    with people.as_role("spendai_analyst"):
        assert people.all(query) == []


def test_a_forged_claim_is_not_even_read(db: psycopg.Connection, people: People) -> None:
    db.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps({"sub": "no uuid at all"})])
    assert people.one(ASK)["id"] is None
