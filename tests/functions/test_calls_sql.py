"""app.calls_sql: the text of the query for calls that fit."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from checks import executors
from ledgers import DAY, add_call, add_open_call
from people import People
from psycopg import ClientCursor
from totals import EARLY, LATE, Busy, fits

TEXT = "select app.calls_sql(%s::jsonb) as text"


def text(people: People, filters: dict[str, Any]) -> str:
    with people.as_("ada"):
        return people.one(TEXT, json.dumps(filters))["text"]


def found(
    people: People, filters: dict[str, Any], since: datetime = EARLY, until: datetime = LATE, who: str = "ada"
) -> list[dict[str, Any]]:
    query, cursor = text(people, filters), ClientCursor(people.conn)
    for place, (value, kind) in enumerate(
        ((json.dumps(filters), "jsonb"), (since, "timestamptz"), (until, "timestamptz")), 1
    ):
        query = query.replace(f"${place}", f"{cursor.mogrify('%s', [value])}::{kind}")
    with people.as_(who):
        return people.all(query.replace("%", "%%"))


def ids(people: People, *args: Any, **more: Any) -> set[UUID]:
    return {row["id"] for row in found(people, *args, **more)}


def test_it_finds_the_calls_of_the_period_that_fit_each_once(busy: Busy) -> None:
    people, _, bookings = busy
    real = [entry for entry in bookings if entry.get("calls")]
    for filters in ({}, {"tag": ["team", "env=live"]}, {"end_user": ["u1"], "status": ["error"]},
                    {"cost_status": ["in_doubt"]}, {"model": ["gpt-4o-mini"], "tag": ["team=web"]}):  # fmt: skip
        for since, until in ((EARLY, LATE), (DAY, DAY + timedelta(days=1))):
            rows = found(people, filters, since, until)
            right = {entry["id"] for entry in real if fits(entry, filters) and since <= entry["at"] < until}
            assert {row["id"] for row in rows} == right and len(rows) == len(right), filters
    assert right, "the last of them found nothing to compare"


def test_a_row_has_what_calls_are_sorted_by(people: People) -> None:
    add_call(people, "ada", cost=2)
    add_open_call(people, "ada", deadline_at=DAY - timedelta(days=90))
    done, doubtful = sorted(found(people, {}), key=lambda row: row["in_doubt_calls"])
    names = ("at", "cost", "tokens_in", "tokens_cached", "tokens_out")
    assert [done[name] for name in names] == [DAY, 2, 1000, 100, 500]
    assert [doubtful[name] for name in names] == [DAY, None, None, None, None]


def test_it_is_the_askers_own_of_the_current_books_alone(people: People) -> None:
    mine, theirs = add_call(people, "ada"), add_call(people, "eve")
    add_call(people, "ada", upstream="openai")
    people.sign_up("lone", "lone@nowhere.test")
    assert (ids(people, {}), ids(people, {}, who="dev")) == ({mine}, {mine})
    assert (ids(people, {}, who="eve"), ids(people, {}, who="lone")) == ({theirs}, set())


def test_no_word_of_a_filter_is_in_the_text(people: People) -> None:
    assert "secret" not in text(people, {"end_user": ["secret"], "tag": ["secret"], "model": ["secret"]})


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "calls_sql") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", TEXT, "{}")
