"""app.spend_bars."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from spending import CELLS, PRICE, another_key, days_ago, spent

BARS = f"select * from app.spend_bars({CELLS}, %s, %s, %s::text[])"


def today() -> datetime:
    """The day on which the test runs, which may be another one than that on which pytest began."""
    return datetime.combine(datetime.now(UTC).date(), time(), UTC)


def bars(people: People, days: int, top: list[str], who: str = "ada", by: str = "project") -> list[dict[str, Any]]:
    with people.as_(who):
        period = today() - timedelta(days=days - 1), today() + timedelta(days=1)
        return people.all(BARS, *period, by, "{}", *period, top)


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
    assert [row["partial"] for row in by_series[None]] == [False] * 4 + [True]


def test_tokens_are_split_without_overlap(people: People) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}
    spent(people, usage=usage)
    whole = next(row for row in bars(people, 1, []) if row["series"] is None)
    assert (whole["tokens_uncached"], whole["tokens_cached"], whole["tokens_out"]) == (60, 40, 7)


def test_more_than_92_days_become_weeks_from_monday(people: People) -> None:
    spent(people, at=days_ago(100))
    assert {row["days"] for row in bars(people, 92, [])} == {1}
    weeks = [row for row in bars(people, 120, []) if row["series"] is None]
    assert {row["days"] for row in weeks} == {7} and {row["bar"].isoweekday() for row in weeks} == {1}
    assert sum(row["cost"] for row in weeks) == Decimal(PRICE)
    assert [row["partial"] for row in weeks] == [False] * (len(weeks) - 1) + [True]


def test_days_to_come_are_not_drawn(people: People) -> None:
    with people.as_("ada"):
        period = today(), today() + timedelta(days=3000)
        found = people.all(BARS, *period, "project", "{}", *period, [])
    assert [row["bar"] for row in found if row["days"] == 7] == [(today() - timedelta(days=today().weekday())).date()]


def test_errors_are_told_from_calls_that_were_answered(people: People) -> None:
    spent(people)
    spent(people, outcome="error", usage=None, status_code=500)
    whole = next(row for row in bars(people, 1, []) if row["series"] is None)
    assert (whole["calls"], whole["good_calls"], whole["error_calls"]) == (2, 1, 1)


def test_the_whole_day_has_a_call_with_several_tags_once(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    found = bars(people, 1, ["env=live", "team=web"], by="tag")
    assert [(row["series"], row["calls"]) for row in found] == [(1, 1), (2, 1), (None, 1)]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert {row["cost"] for row in bars(people, 3, [], "eve")} == {0}
    assert executors(people.conn, "spend_bars") == {"authenticated"}
