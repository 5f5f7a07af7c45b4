"""app.admin_org_id: the organization somebody administers."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_an_admin_gets_her_own_organization(people: People) -> None:
    for who in ("ada", "eve"):
        with people.as_(who):
            assert people.one("select app.admin_org_id() as id")["id"] == people.orgs[who]


def test_a_developer_and_a_stranger_administer_nothing(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    for who in ("dev", "lone"):
        with people.as_(who):
            assert people.one("select app.admin_org_id() as id")["id"] is None
    with people.as_role("authenticated"):
        assert people.one("select app.admin_org_id() as id")["id"] is None


def test_only_people_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "admin_org_id") == {"authenticated"}
