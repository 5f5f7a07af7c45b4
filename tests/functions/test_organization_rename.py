"""app.organization_rename."""

from __future__ import annotations

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

RENAME = "select app.organization_rename(%s)"


def test_an_admin_renames_only_her_own(people: People) -> None:
    with people.as_("ada"):
        people.one(RENAME, "  Acme GmbH ")
    assert {row["name"] for row in people.all("select name from public.organizations")} == {"Acme GmbH", "Evil"}
    assert audit_lines(people, "ada")[-1] == ("organization.renamed", people.orgs["ada"], {"name": "Acme GmbH"})


def test_the_same_name_again_is_no_change_and_no_line(people: People) -> None:
    before = audit_lines(people, "ada")
    with people.as_("ada"):
        people.one(RENAME, "Acme")
    assert audit_lines(people, "ada") == before


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", RENAME, "Dev Ltd")
    strangers_are_refused(people, RENAME, "Lone Ltd")


def test_a_bad_name_is_refused(people: People) -> None:
    assert refuses(people, "ada", "400 name_required", RENAME, " ").column_name == "name"
    refuses(people, "ada", "400 name_too_long", RENAME, "x" * 201)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "organization_rename") == {"authenticated"}
