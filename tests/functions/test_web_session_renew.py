"""app.web_session_renew: new tokens for a browser session."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

ID = b"i" * 32
RENEW = "select app.web_session_renew(%s, %s)"
CLAIM = "select * from app.web_session_claim(%s, 15)"


@pytest.fixture(autouse=True)
def session(people: People) -> None:
    """Ada's, for an hour, and somebody is renewing its tokens."""
    people.one("select app.web_session_start(%s, %s, '{}', %s, 3600, null, null)", ID, people.ids["ada"], b"old")
    people.one(CLAIM, ID)


def test_the_tokens_are_there_for_all_and_can_be_renewed_again(people: People) -> None:
    people.one(RENEW, ID, b"new")
    assert people.one(CLAIM, ID) == {"tokens": b"new", "mine": True}


def test_one_that_was_ended_meanwhile_stays_ended(people: People) -> None:
    people.one("select app.web_session_end(%s)", ID)
    people.one(RENEW, ID, b"new")
    assert people.all("select * from private.web_sessions") == []


def test_only_sign_in_may_renew(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_renew") == {"spendai_auth"}
