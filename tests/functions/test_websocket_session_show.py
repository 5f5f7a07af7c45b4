"""app.websocket_session_show: one session, for its own organization."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People
from test_end_sessions import begin

SHOW = "select * from app.websocket_session_show(%s)"


def test_members_see_the_session_and_eve_does_not(people: People) -> None:
    session = begin(people)["id"]
    with people.as_("dev"):
        assert people.one(SHOW, session)["endpoint"] == "/v1/realtime"
    with people.as_("eve"):
        assert people.all(SHOW, session) == []


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "websocket_session_show") == {"authenticated"}
