"""app.web_session_start: a new browser session."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

START = "select app.web_session_start(%s, %s, %s, null, %s, null, null)"


def test_it_lives_as_long_as_it_is_told(people: People) -> None:
    people.one(START, b"i" * 32, people.ids["ada"], '{"a": 1}', 60)
    row = people.one("select user_id, data, expires_at = now() + interval '1 minute' as due from private.web_sessions")
    assert row == {"user_id": people.ids["ada"], "data": {"a": 1}, "due": True}


def test_an_id_that_is_taken_keeps_its_session(people: People) -> None:
    people.one(START, b"i" * 32, people.ids["ada"], "{}", 60)
    people.one(START, b"i" * 32, people.ids["eve"], "{}", 60)
    assert people.one("select user_id from private.web_sessions")["user_id"] == people.ids["ada"]


def test_it_sweeps_sessions_that_have_ended(people: People) -> None:
    for n in range(30):
        people.one(START, bytes([n]) * 32, None, "{}", 60)
    people.conn.execute("update private.web_sessions set expires_at = now() - interval '1 s'")
    people.one(START, b"x" * 32, None, "{}", 60)
    assert people.one("select count(*) as n from private.web_sessions")["n"] == 11  # at most 20 at a time
    people.one(START, b"y" * 32, None, "{}", 60)
    assert people.one("select count(*) as n from private.web_sessions")["n"] == 2


def test_only_sign_in_may_write(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_start") == {"spendai_auth"}
