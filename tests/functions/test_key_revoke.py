"""app.key_revoke."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

REVOKE = "select app.key_revoke(%s)"


def test_a_revoked_key_is_refused_on_the_next_call(people: People) -> None:
    key = people.keys["ada"]
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "opened"
    with people.as_("ada"):
        people.one(REVOKE, key.id)
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "revoked_key"
    assert audit_lines(people, "ada")[-1] == ("key.revoked", key.id, {"name": "main", "prefix": key.prefix})
    row = people.one("select revoked_at, revoked_by from public.api_keys where id = %s", key.id)
    assert row["revoked_at"] and row["revoked_by"] == people.ids["ada"]


def test_doing_it_twice_is_no_error_and_one_line(people: People) -> None:
    with people.as_("ada"):
        people.one(REVOKE, people.keys["ada"].id)
        people.one(REVOKE, people.keys["ada"].id)
    assert [line[0] for line in audit_lines(people, "ada")].count("key.revoked") == 1


def test_eve_does_not_find_acmes_key_which_keeps_working(people: People) -> None:
    for which in (people.keys["ada"].id, uuid4(), None):
        refuses(people, "eve", "404 key_not_found", REVOKE, which)
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "opened"


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", REVOKE, people.keys["ada"].id)
    strangers_are_refused(people, REVOKE, people.keys["ada"].id)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_revoke") == {"authenticated"}
