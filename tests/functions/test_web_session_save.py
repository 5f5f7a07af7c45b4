"""app.web_session_save: a browser session lives on, but never comes back."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

ID = b"i" * 32
SAVE = "select app.web_session_save(%s, %s, null, %s) as lives"


@pytest.fixture(autouse=True)
def session(people: People) -> None:
    """Ada's, for an hour."""
    people.one("select app.web_session_start(%s, %s, '{}', null, 3600, null, null)", ID, people.ids["ada"])


def test_it_changes_data_and_end_but_never_the_person(people: People) -> None:
    assert people.one(SAVE, ID, '{"b": 2}', 7200)["lives"] is True
    row = people.one("select user_id, data, expires_at = now() + interval '2 hours' as late from private.web_sessions")
    assert row == {"user_id": people.ids["ada"], "data": {"b": 2}, "late": True}


def test_the_tokens_stay_unless_there_are_new_ones(people: People) -> None:
    people.one("select app.web_session_renew(%s, %s)", ID, b"tokens")
    people.one(SAVE, ID, "{}", 3600)
    assert people.one("select tokens from private.web_sessions")["tokens"] == b"tokens"


def test_one_that_was_ended_or_expired_stays_so(people: People) -> None:
    people.conn.execute("update private.web_sessions set expires_at = now()")
    assert people.one(SAVE, ID, "{}", 3600)["lives"] is False
    people.one("select app.web_session_end(%s)", ID)
    assert people.one(SAVE, ID, "{}", 3600)["lives"] is False
    assert people.all("select * from private.web_sessions") == []


def test_only_sign_in_may_write(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_save") == {"spendai_auth"}
