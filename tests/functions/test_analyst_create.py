"""app.analyst_create: an SQL login for an analyst of one organization."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from analysts import CREATE
from checks import executors
from people import People

VERIFIER = "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=:" + "A" * 43 + "="
ROLE = "select * from pg_roles where rolname = %s"


@pytest.fixture
def login(people: People) -> Iterator[str]:
    yield people.one(f"{CREATE} as role", "Acme", " Ann ", VERIFIER)["role"]


def test_a_login_may_do_nothing_but_what_its_group_may(people: People, login: str) -> None:
    row = people.one(ROLE, login)
    assert [key for key in row if row[key] is True] == ["rolinherit", "rolcanlogin"]
    assert row["rolconnlimit"] == 3
    groups = "select roleid::regrole::text as role from pg_auth_members where member = %s::regrole"
    assert people.all(groups, login) == [{"role": "spendai_analyst"}]


def test_its_name_says_nothing_about_who_it_is_for(people: People, login: str) -> None:
    assert login.startswith("an_") and len(login) == 15
    assert people.one(f"{CREATE} as role", "Acme", "Ann", VERIFIER)["role"] != login


def test_it_starts_read_only_with_time_limits_and_a_fixed_search_path(people: People, login: str) -> None:
    assert people.one(ROLE, login)["rolconfig"] == [
        "default_transaction_read_only=on", "statement_timeout=30s", "idle_in_transaction_session_timeout=60s",
        "search_path=public, pg_temp", "jit=off", "temp_file_limit=1GB",
        "log_min_messages=fatal",
    ]  # fmt: skip


@pytest.mark.parametrize(("missing", "set_all_the_same"), [
    ("temp_file_limit", ["log_min_messages=fatal"]), ("log_min_messages", ["temp_file_limit=1GB"]),
    ("temp_file_limit, log_min_messages", []),
])  # fmt: skip
def test_an_owner_who_may_not_set_a_limit_makes_it_without(
    people: People, missing: str, set_all_the_same: list[str]
) -> None:
    """As on a server whose superuser has not run all of the statements that flask doctor prints."""
    people.conn.execute(f"reset role; revoke set on parameter {missing} from postgres; set role postgres")
    login = people.one(f"{CREATE} as role", "Acme", "Ann", VERIFIER)["role"]
    assert people.one(ROLE, login)["rolconfig"][5:] == set_all_the_same


def test_the_operator_finds_whom_it_was_made_for_and_the_audit_log_says_so(people: People, login: str) -> None:
    row = people.one("select role_name, org_id, name from private.analyst_logins")
    assert row == {"role_name": login, "org_id": people.orgs["ada"], "name": "Ann"}
    line = people.one("select * from public.audit_log where action = 'analyst.created'")
    assert (line["org_id"], line["actor_id"], line["details"]) == (
        people.orgs["ada"], None, {"login": login, "name": "Ann"},
    )  # fmt: skip


def test_nobody_can_make_temporary_tables_once_there_are_analysts(people: People, login: str) -> None:
    people.conn.execute("reset role")
    people.conn.execute(
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$"
    )
    people.conn.execute("set role postgres")
    role = people.one(f"{CREATE} as role", "Acme", "Ann", VERIFIER)["role"]
    temporary = "select has_database_privilege(%s, current_database(), 'temporary') as may"
    assert people.one(temporary, role) == {"may": False}


def test_an_organization_is_found_by_id_too(people: People) -> None:
    role = people.one(f"{CREATE} as role", str(people.orgs["eve"]), "Ann", VERIFIER)["role"]
    assert (
        people.one("select org_id from private.analyst_logins where role_name = %s", role)["org_id"]
        == people.orgs["eve"]
    )


@pytest.mark.parametrize("organization", ["Acme Corporation", "", "acme", "00000000-0000-0000-0000-000000000000"])
def test_an_organization_that_is_not_there_gets_none(people: People, organization: str) -> None:
    assert (
        people.refused("PT404", CREATE, organization, "Ann", VERIFIER).diag.message_detail == "organization_not_found"
    )
    assert people.all("select from private.analyst_logins") == []


def test_of_two_organizations_with_one_name_none_is_picked(people: People) -> None:
    people.conn.execute("insert into public.organizations (name) values ('Acme')")
    assert "give the id" in str(people.refused("PT404", CREATE, "Acme", "Ann", VERIFIER))


def test_a_login_needs_somebody_it_is_for(people: People) -> None:
    assert people.refused("PT400", CREATE, "Acme", " ", VERIFIER).diag.message_detail == "name_required"


def test_only_the_operator_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "analyst_create") == set()
