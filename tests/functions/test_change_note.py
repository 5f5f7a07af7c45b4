"""app.change_note: the position after somebody's last change is remembered."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from checks import executors
from people import People

KEPT = "select wal_position >= %s::pg_lsn as later from private.last_changes where user_id = %s"
NOW = "select pg_current_wal_insert_lsn()::text as at"


def test_the_position_lies_behind_what_was_written_before(people: People) -> None:
    for _ in range(2):  # the second note replaces the first
        people.conn.execute("select pg_logical_emit_message(false, 'test', 'something is written')")
        before = people.one(NOW)["at"]
        people.conn.execute("select app.change_note(%s)", [people.ids["ada"]])
        assert people.all(KEPT, before, people.ids["ada"]) == [{"later": True}]
    assert people.all(KEPT, before, people.ids["dev"]) == []


def test_an_account_that_is_gone_is_not_noted(people: People) -> None:
    people.conn.execute("select app.change_note(%s)", [uuid4()])
    assert people.all("select from private.last_changes") == []


def test_only_sign_in_may_note(db: psycopg.Connection) -> None:
    assert executors(db, "change_note") == {"spendai_auth"}
