"""app.websocket_session_calls: the newest calls of a session, the newest last."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from checks import executors
from ledgers import DAY, add_call
from people import People
from test_end_sessions import begin

CALLS = "select id from app.websocket_session_calls(%s, %s)"


def test_the_newest_calls_are_in_the_order_in_which_they_were_made(people: People) -> None:
    session, other = begin(people)["id"], begin(people)["id"]
    minutes = (3, 1, 2)
    made = {n: add_call(people, "ada", DAY + timedelta(minutes=n), session_id=session) for n in minutes}
    add_call(people, "ada", DAY, session_id=other)
    with people.as_("dev"):
        assert [row["id"] for row in people.all(CALLS, session, 9)] == [made[1], made[2], made[3]]
        assert [row["id"] for row in people.all(CALLS, session, 2)] == [made[2], made[3]]
    with people.as_("eve"):
        assert people.all(CALLS, session, 9) == []


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "websocket_session_calls") == {"authenticated"}
