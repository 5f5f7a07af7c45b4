"""app.require_admin: what every function for admins begins with."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

REQUIRE = "select app.require_admin() as id"


def test_an_admin_gets_her_organization(people: People) -> None:
    for who in ("ada", "eve"):
        with people.as_role("postgres", {"sub": str(people.ids[who])}):
            assert people.one(REQUIRE)["id"] == people.orgs[who]


def test_a_developer_is_told_that_an_admin_is_needed(people: People) -> None:
    with people.as_role("postgres", {"sub": str(people.ids["dev"])}):
        assert people.refused("PT403", REQUIRE).diag.message_detail == "admin_required"


def test_nobody_is_told_to_sign_in(people: People) -> None:
    assert people.refused("PT401", REQUIRE).diag.message_detail == "not_signed_in"


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "require_admin") == set()
