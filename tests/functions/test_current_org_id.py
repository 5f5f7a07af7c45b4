"""app.current_org_id: the organization every policy stands on."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_every_member_gets_the_own_organization(people: People) -> None:
    for who in ("ada", "dev", "eve"):
        with people.as_(who):
            assert people.one("select app.current_org_id() as id")["id"] == people.orgs[who]


def test_somebody_without_organization_or_without_claims_gets_none(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one("select app.current_org_id() as id")["id"] is None
    with people.as_role("authenticated"):
        assert people.one("select app.current_org_id() as id")["id"] is None


def test_a_role_claim_or_an_organization_in_the_token_counts_for_nothing(people: People) -> None:
    claims = {"sub": str(people.ids["dev"]), "role": "service_role", "org_id": str(people.orgs["eve"])}
    with people.as_role("authenticated", claims):
        assert people.one("select app.current_org_id() as id")["id"] == people.orgs["dev"]


def test_only_people_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "current_org_id") == {"authenticated"}
