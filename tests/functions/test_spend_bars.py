"""app.spend_bars."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from spending import CELLS, PRICE, another_key, spent

BARS = f"select * from app.spend_bars({CELLS}, %s, %s, 'UTC', %s, %s::text[])"

WEEKS = """
    select * from app.spend_bars(array(
        select c from app.spend_cells(%s, %s, null, null, 'UTC', 'week', 'model', null, 'key', '{}') c),
        %s, %s, 'UTC', 'week', '{}') where series is null"""


def today() -> datetime:
    """The day on which the test runs, which may be another one than that on which pytest began."""
    return datetime.combine(datetime.now(UTC).date(), time(), UTC)


def bars(people: People, days: int, top: list[str], who: str = "ada", by: str = "project") -> list[dict[str, Any]]:
    with people.as_(who):
        period = today() - timedelta(days=days - 1), today() + timedelta(days=1)
        return people.all(BARS, *period, by, "{}", *period, "day" if days <= 92 else "week", top)


def test_every_day_is_there_for_every_series_and_today_is_partial(people: People) -> None:
    project, key = another_key(people, "search")
    spent(people)
    spent(people, at=today() - timedelta(days=2), project_id=str(project), api_key_id=str(key))
    found = bars(people, 5, [str(project)])
    by_series = {n: [row for row in found if row["series"] == n] for n in (1, 0, None)}
    assert [len(rows) for rows in by_series.values()] == [5, 5, 5]
    assert [row["cost"] for row in by_series[1]] == [0, 0, Decimal(PRICE), 0, 0]
    assert [row["cost"] for row in by_series[0]] == [0, 0, 0, 0, Decimal(PRICE)]
    assert [row["calls"] for row in by_series[None]] == [0, 0, 1, 0, 1]
    assert [row["partial"] for row in by_series[None]] == [None] * 4 + ["now"]


def test_tokens_are_split_without_overlap(people: People) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}
    spent(people, usage=usage)
    whole = next(row for row in bars(people, 1, []) if row["series"] is None)
    assert (whole["tokens_uncached"], whole["tokens_cached"], whole["tokens_out"]) == (60, 40, 7)


def test_weeks_begin_on_monday_and_say_which_are_cut_and_which_still_grow(people: People) -> None:
    monday = today() - timedelta(days=today().weekday())
    spent(people, at=monday - timedelta(days=10))
    period = monday - timedelta(days=12), today() + timedelta(days=1)
    with people.as_("ada"):
        weeks = people.all(WEEKS, *period, *period)
    assert [row["bar"] for row in weeks] == [monday - timedelta(days=days) for days in (14, 7, 0)]
    assert [row["bar_end"] for row in weeks] == [monday + timedelta(days=days) for days in (-7, 0, 7)]
    assert [row["calls"] for row in weeks] == [1, 0, 0]
    assert [row["partial"] for row in weeks] == ["cut", None, "now"]


def test_what_is_over_no_longer_grows(people: People) -> None:
    with people.as_("ada"):
        period = today() - timedelta(days=2), today() - timedelta(hours=12)
        found = people.all(BARS, *period, "project", "{}", *period, "day", [])
    assert [row["partial"] for row in found] == [None, "cut"]


def test_bars_to_come_are_not_drawn(people: People) -> None:
    with people.as_("ada"):
        period = today(), today() + timedelta(days=3000)
        found = people.all(BARS, *period, "project", "{}", *period, "week", [])
    assert [row["bar"] for row in found] == [today() - timedelta(days=today().weekday())]


def test_errors_are_told_from_calls_that_were_answered(people: People) -> None:
    spent(people)
    spent(people, outcome="error", usage=None, status_code=500)
    whole = next(row for row in bars(people, 1, []) if row["series"] is None)
    assert (whole["calls"], whole["good_calls"], whole["error_calls"]) == (2, 1, 1)


def test_the_whole_day_has_a_call_with_several_tags_once(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    found = bars(people, 1, ["env", "team"], by="tag")
    assert [(row["series"], row["calls"]) for row in found] == [(1, 1), (2, 1), (None, 1)]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert {row["cost"] for row in bars(people, 3, [], "eve")} == {0}
    assert executors(people.conn, "spend_bars") == {"authenticated"}
