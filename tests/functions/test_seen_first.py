"""app.seen_first: the first call that reports an object books it."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

FIRST = "select app.seen_first(%s, 'resp_1', %s, %s, now()) as it_is"


def first(people: People, who: str, side: bool, call: str) -> bool:
    return people.one(FIRST, people.orgs[who], side, people.keys[call].id)["it_is"]


def test_the_first_call_stays_the_first(people: People) -> None:
    assert [first(people, "ada", True, call) for call in ("ada", "eve", "ada", "eve")] == [True, False, True, False]
    assert not first(people, "ada", False, "eve"), "a main connection is told of the same as a side connection"


def test_main_connections_and_organizations_share_nothing(people: People) -> None:
    assert [first(people, "ada", False, call) for call in ("ada", "eve")] == [True, True]
    assert first(people, "eve", True, "eve")
    assert not first(people, "ada", True, "eve")


def test_only_the_owner_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "seen_first") == set()
