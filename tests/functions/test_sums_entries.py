"""app.sums_entries: the text of the query whose rows app.sums adds up."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from ledgers import DAY, add_call, add_open_call, adjust
from people import People
from psycopg import ClientCursor
from totals import MIDNIGHT, NUMBERS

SOURCES = ("calls", "all", "end_user", "tag", "-end_user", "-tag")
ENTRIES = "select app.sums_entries(%s, %s, %s, %s, %s, 'UTC', %s, %s, %s, %s::jsonb, %s, %s) as text"
BARS = [MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(hours=6)]
PLACES = ("bar", "project_id", "api_key_id", "model", "endpoint", "service_tier", "status_code", "end_user", "tag")


@pytest.fixture
def two(people: People) -> People:
    """A call with an end user and two tags and one without, on one day; another on the day before."""
    add_call(people, "ada", cost=1, end_user="u1", tags={"team": "web", "env": "live"})
    add_call(people, "ada", cost=10)
    add_call(people, "ada", DAY - timedelta(days=1), cost=100)
    add_call(people, "eve", cost=1000, end_user="u1", tags={"team": "web"})
    return people


def text(
    people: People, source: str, corrected: bool = False, *, moved: str = "empty", named: bool = False,
    words: tuple[str, ...] = ("tag",), **filters: list[str],
) -> str:  # fmt: skip
    """The query for the day of DAY, of totals or, for the source `calls`, of the calls."""
    unit, of = ("call", "all") if source == "calls" else ("day", source)
    since, until = [MIDNIGHT], [MIDNIGHT + timedelta(days=1)]
    with people.as_("ada"):
        asked = (of, unit, since, until, moved, list(words), named, list(NUMBERS), json.dumps(filters), corrected, BARS)
        return people.one(ENTRIES, *asked)["text"]


def rows(people: People, source: str, who: str = "ada", corrected: bool = False, **asked: Any) -> list[dict[str, Any]]:
    """Rows of the query, with the parameters that app.sums gives it."""
    query = text(people, source, corrected, **asked)
    filters = {name: words for name, words in asked.items() if name not in ("moved", "named", "words")}
    values = [json.dumps(filters), list(asked.get("words", ("tag",))), BARS, "team"]
    types = ("jsonb", "text[]", "timestamptz[]", "text")
    cursor = ClientCursor(people.conn)
    for place, (value, kind) in enumerate(zip(values, types, strict=True), 1):
        query = query.replace(f"${place}", f"{cursor.mogrify('%s', [value])}::{kind}")
    with people.as_(who):
        return people.all(f"select * from ({query.replace('%', '%%')}) e ({', '.join((*PLACES, *NUMBERS))})")


def seen(people: People, source: str, *names: str, **asked: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in rows(people, source, **asked)), key=str)


def test_of_calls_and_of_all_it_is_every_one_of_the_period(two: People) -> None:
    assert sum(cost for (cost,) in seen(two, "all", "cost")) == 11
    assert seen(two, "calls", "end_user", "tag", "cost") == [
        ("u1", "env=live", 1), ("u1", "team=web", 1), (None, None, 10)
    ]  # fmt: skip


def test_of_a_label_it_is_those_that_have_one_and_with_a_minus_the_same_taken_away_once(two: People) -> None:
    assert seen(two, "end_user", "end_user", "tag", "cost") == [("u1", None, 1)]
    assert seen(two, "tag", "end_user", "tag", "cost") == [(None, "env=live", 1), (None, "team=web", 1)]
    for source in ("-end_user", "-tag"):
        assert seen(two, source, "end_user", "tag", "calls", "cost", "tokens_in") == [(None, None, -1, -1, -1000)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_the_same_columns_takes_filters_and_counts_open_calls(two: People, source: str) -> None:
    add_open_call(two, "ada", end_user="u1", tags={"team": "web"}, project_id=two.projects["eve"])
    sign = -1 if source.startswith("-") else 1
    assert {calls for (calls,) in seen(two, source, "calls", project=[str(two.projects["eve"])])} == {sign}
    assert seen(two, source, "calls", key=[str(two.keys["eve"].id)]) == []


def test_calls_come_with_their_corrections_only_where_there_are_any(two: People) -> None:
    call = add_call(two, "ada", DAY - timedelta(days=1), cost=5)
    adjust(two, call, Decimal("0.5"), DAY)
    more = Decimal("11.5")
    for source, corrected, costs in (("calls", False, 11), ("calls", True, more), ("all", False, more)):
        found = rows(two, source, corrected=corrected)
        assert sum(row["cost"] or 0 for row in found if row["tag"] != "env=live") == costs


def test_of_one_tags_name_it_is_the_values_and_those_without_one(two: People) -> None:
    assert seen(two, "tag", "tag", "cost", named=True) == [("web", 1)]
    assert seen(two, "-tag", "tag", "cost", named=True) == [(None, -1)]
    assert seen(two, "calls", "tag", "cost", named=True) == [("web", 1), (None, 10)]


def test_a_moved_call_is_added_to_its_own_bar_and_taken_from_the_one_of_noon(two: People) -> None:
    add_call(two, "ada", MIDNIGHT + timedelta(hours=5), cost=7, model="early")
    moved = f"[{MIDNIGHT}, {MIDNIGHT + timedelta(days=1)})"
    for source, expected in (("calls", [(1, 7), (2, -7)]), ("all", [(2, 7)])):
        found = seen(two, source, "bar", "cost", moved=moved, words=("day",), model=["early"])
        assert found == expected


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_the_askers_own_alone(two: People, source: str) -> None:
    two.sign_up("lone", "lone@nowhere.test")
    assert {abs(row["cost"]) for row in rows(two, source, "eve")} == {1000}
    assert rows(two, source, "lone") == []


def test_no_word_of_a_filter_is_in_the_text(people: People) -> None:
    for source in SOURCES:
        assert "secret" not in text(people, source, end_user=["secret"], tag=["secret"], model=["secret"])


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "sums_entries") == {"authenticated"}
    with people.as_("nobody"):
        words = ("all", "day", [MIDNIGHT], [MIDNIGHT], "empty", [], False, [], "{}", False, BARS)
        people.refused("42501", ENTRIES, *words)
