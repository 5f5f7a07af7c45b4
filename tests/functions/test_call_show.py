"""app.call_show."""

from __future__ import annotations

from uuid import uuid4

from checks import executors
from people import People
from spending import days_ago, spent

SHOW = "select * from app.call_show(%s)"


def test_a_call_is_found_by_its_id_however_old(people: People) -> None:
    for days in (0, 50):
        call = spent(people, at=days_ago(days))
        with people.as_("dev"):
            row = people.one(SHOW, call)
        assert (row["id"], row["project"], row["key"]) == (call, "chat", "main")


def test_eve_finds_nothing_and_an_unknown_id_is_no_row(people: People) -> None:
    call = spent(people)
    with people.as_("eve"):
        assert people.all(SHOW, call) == []
    with people.as_("ada"):
        assert people.all(SHOW, uuid4()) == []
    assert executors(people.conn, "call_show") == {"authenticated"}
