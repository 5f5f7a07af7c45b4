"""The names of bars, and the grains that a period can be shown in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.filters import Query
from webapp.pages import grains

BERLIN = ZoneInfo("Europe/Berlin")


def hours(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(hours=n) for n in range(count)]


def test_an_hour_that_comes_twice_says_which_one_it_is() -> None:
    starts = hours(datetime(2026, 10, 24, 23, tzinfo=UTC), 4)  # clocks go back at 1:00 UTC
    heads = grains.heads(starts, starts, "hour", BERLIN)
    assert heads == [
        "Sun 25 Oct 2026, 01:00", "Sun 25 Oct 2026, 02:00 CEST", "Sun 25 Oct 2026, 02:00 CET", "Sun 25 Oct 2026, 03:00",
    ]  # fmt: skip
    assert grains.ticks(starts, "hour", BERLIN) == ["01:00", "02:00", "02:00", "03:00"]


@pytest.mark.parametrize(("grain", "end", "head", "tick"), [
    ("day", datetime(2026, 11, 2, 23, tzinfo=UTC), "Mon 2 Nov 2026", "2 Nov"),
    ("week", datetime(2026, 11, 8, 23, tzinfo=UTC), "2–8 Nov 2026", "2 Nov"),
    ("month", datetime(2026, 11, 30, 23, tzinfo=UTC), "November 2026", "Nov"),
])  # fmt: skip
def test_bars_are_named_by_the_calendar_of_the_zone(grain: str, end: datetime, head: str, tick: str) -> None:
    start = datetime(2026, 11, 1, 23, tzinfo=UTC)  # midnight in Berlin
    assert grains.heads([start], [end], grain, BERLIN) == [head]
    assert grains.ticks([start], grain, BERLIN) == [tick]


@pytest.mark.parametrize(("days", "choices"), [
    (1, ["hour"]), (7, ["hour", "day"]), (30, ["day", "week"]), (365, ["day", "week", "month"]),
    (2000, ["month"]),
])  # fmt: skip
def test_only_grains_that_say_something_about_the_period_are_offered(days: int, choices: list[str]) -> None:
    until = datetime(2026, 11, 1, tzinfo=UTC)
    assert grains.sensible(Query(until - timedelta(days=days), until, "custom")) == choices
