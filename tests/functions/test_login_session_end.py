"""app.login_session_end."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from checks import executors
from people import People


def test_a_session_that_was_ended_is_dead_and_its_refresh_token_too_but_no_other(people: People) -> None:
    with people.as_role("spendai_auth"):
        first, second = (
            people.one("select app.login_session_start(%s, %s, null, null) as id", people.ids["ada"], hashed)["id"]
            for hashed in (b"1" * 32, b"2" * 32)
        )
        for _ in range(2):  # twice is no error
            people.one("select app.login_session_end(%s)", first)
        alive = [people.one("select app.login_session_alive(%s) as a", which)["a"] for which in (first, second)]
        assert alive == [False, True]
        refreshed = [
            people.all("select * from app.login_session_refresh(%s, %s)", h * 32, h * 31 + b"x") for h in (b"1", b"2")
        ]
        assert [len(rows) for rows in refreshed] == [0, 1]


def test_an_unknown_session_is_no_error(people: People) -> None:
    with people.as_role("spendai_auth"):
        people.one("select app.login_session_end(%s)", uuid4())


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "login_session_end") == {"spendai_auth"}
