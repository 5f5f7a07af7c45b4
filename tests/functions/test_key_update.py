"""app.key_update: a key's name, note and expiry."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People
from spending import days_ago

from webapp.secrets.proxy_keys import new_key

UPDATE = "select * from app.key_update(%s, %s, %s, %s)"


def test_only_what_is_given_changes_and_each_change_is_a_line_of_the_audit_log(people: People) -> None:
    key, until = people.keys["ada"], days_ago(-5).replace(microsecond=0)
    lines = len(audit_lines(people, "ada"))
    with people.as_("ada"):
        assert people.one(UPDATE, key.id, None, None, None)["name"] == "main"
        people.one(UPDATE, key.id, " Nightly ", None, None)
        people.one(UPDATE, key.id, None, "  the batch,\r\nask Bo ", None)
        people.one(UPDATE, key.id, None, None, until)
        row = people.one(UPDATE, key.id, None, None, "infinity")
    assert (row["name"], row["note"], row["expires_at"], row["state"]) == (
        "Nightly",
        "the batch,\nask Bo",
        None,
        "active",
    )
    known = {"name": "Nightly", "prefix": key.prefix}
    written = f"{until:%Y-%m-%d %H:%M}"
    assert audit_lines(people, "ada")[lines:] == [
        ("key.renamed", key.id, {"from": "main", "to": "Nightly", "prefix": key.prefix}),
        ("key.noted", key.id, known | {"note": "the batch,\nask Bo"}),
        ("key.expiry_changed", key.id, known | {"from": None, "to": written}),
        ("key.expiry_removed", key.id, known | {"from": written, "to": None}),
    ]
    with people.as_("ada"):
        assert people.one(UPDATE, key.id, None, " ", None)["note"] is None
    stored = people.one("select prefix, key_hash from public.api_keys where id = %s", key.id)
    assert (stored["prefix"], stored["key_hash"]) == (key.prefix, key.hash)


def test_name_and_note_are_of_all_generations_and_the_expiry_of_one(people: People) -> None:
    old, new = people.keys["ada"].id, new_key()
    with people.as_("ada"):
        people.one("select app.key_rotate(%s, %s, %s, %s, 3600)", old, new.id, new.prefix, new.hash)
        ends = people.one("select expires_at from public.api_keys where id = %s", old)["expires_at"]
        people.one(UPDATE, new.id, "renamed", "noted", days_ago(-9))
        rows = people.all("select id, name, note, expires_at from public.api_keys order by created_at, id = %s", new.id)
    assert [(row["name"], row["note"]) for row in rows] == [("renamed", "noted")] * 2
    assert rows[0]["id"] == old and rows[0]["expires_at"] == ends != rows[1]["expires_at"]


def test_a_later_expiry_makes_an_expired_key_work_again_and_a_revoked_one_stays_ended(people: People) -> None:
    key = people.keys["ada"]
    people.conn.execute("update public.api_keys set expires_at = now() - interval '1 s' where id = %s", [key.id])
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "expired_key"
    with people.as_("ada"):
        people.one(UPDATE, key.id, None, None, days_ago(-1))
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "opened"
    with people.as_("ada"):
        people.one("select app.key_revoke(%s)", key.id)
        assert people.one(UPDATE, key.id, "old one", None, None)["name"] == "old one"
    refuses(people, "ada", "409 key_revoked", UPDATE, key.id, None, None, "infinity")
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "revoked_key"


@pytest.mark.parametrize(("words", "error", "field"), [
    ((" ", None, None), "400 name_required", "name"), (("x" * 201, None, None), "400 name_too_long", "name"),
    ((None, "x" * 1001, None), "400 note_invalid", "note"), ((None, "a\u202eb", None), "400 note_invalid", "note"),
    ((None, None, "-infinity"), "400 expiry_in_past", "expires_at"),
    ((None, None, days_ago(0) - timedelta(seconds=1)), "400 expiry_in_past", "expires_at"),
    ((None, None, "3000-01-01Z"), "400 expiry_too_late", "expires_at"),
])  # fmt: skip
def test_what_is_wrong_names_its_field(people: People, words: tuple[object, ...], error: str, field: str) -> None:
    assert refuses(people, "ada", error, UPDATE, people.keys["ada"].id, *words).column_name == field


def test_developers_and_strangers_may_not_and_eve_does_not_find_it(people: People) -> None:
    key = people.keys["ada"].id
    refuses(people, "dev", "403 admin_required", UPDATE, key, "mine", None, None)
    for which in (key, uuid4(), None):
        refuses(people, "eve", "404 key_not_found", UPDATE, which, "mine", None, None)
    strangers_are_refused(people, UPDATE, key, "mine", None, None)
    assert people.one("select name from public.api_keys where id = %s", key)["name"] == "main"


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_update") == {"authenticated"}
