"""app.web_session_claim: one caller at a time renews a browser session's tokens."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

ID = b"i" * 32
CLAIM = "select * from app.web_session_claim(%s, 15)"


@pytest.fixture(autouse=True)
def session(people: People) -> None:
    """Ada's, for an hour."""
    people.one("select app.web_session_start(%s, %s, '{}', %s, 3600, null, null)", ID, people.ids["ada"], b"old")


def test_the_first_gets_it_and_the_others_only_see_the_tokens(people: People) -> None:
    assert people.one(CLAIM, ID) == {"tokens": b"old", "mine": True}
    assert people.one(CLAIM, ID) == {"tokens": b"old", "mine": False}


def test_whoever_never_comes_back_blocks_the_others_for_a_while_only(people: People) -> None:
    people.one(CLAIM, ID)
    people.conn.execute("update private.web_sessions set renewing_until = now() - interval '1 s'")
    assert people.one(CLAIM, ID)["mine"] is True


def test_one_that_has_ended_has_nothing_to_renew(people: People) -> None:
    people.conn.execute("update private.web_sessions set expires_at = now()")
    assert people.one(CLAIM, ID) is None


def test_of_two_at_once_one_gets_it(own_dsn: str) -> None:
    with psycopg.connect(own_dsn, autocommit=True) as one, psycopg.connect(own_dsn, autocommit=True) as two:
        one.execute("select app.web_session_start(%s, null, '{}', %s, 3600, null, null)", [ID, b"old"])
        with psycopg.connect(own_dsn) as slow:
            slow.execute(CLAIM, [ID])
            with pytest.raises(psycopg.errors.LockNotAvailable):  # it waits for the first to decide
                one.execute("set lock_timeout = '50ms'")
                one.execute(CLAIM, [ID])
        assert two.execute(CLAIM, [ID]).fetchone() == (b"old", False)


def test_only_sign_in_may_claim(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_claim") == {"spendai_auth"}
