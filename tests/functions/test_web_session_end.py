"""app.web_session_end: one browser signs out."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_this_browsers_session_ends_and_no_other(people: People) -> None:
    with people.as_role("spendai_auth"):
        for n in (1, 2):
            people.one(
                "select app.web_session_start(%s, %s, '{}', null, 60, null, null)", bytes([n]) * 32, people.ids["ada"]
            )
        for _ in range(2):  # twice is no error
            people.one("select app.web_session_end(%s)", bytes([1]) * 32)
        left = [len(people.all("select * from app.web_session_load(%s)", bytes([n]) * 32)) for n in (1, 2)]
    assert left == [0, 1]


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_end") == {"spendai_auth"}
