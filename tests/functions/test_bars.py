"""app.bars: when hours, days, weeks and months begin in a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from checks import executors
from people import People

BARS = "select app.bars(%s, %s, %s, %s) as bars"


def bars(people: People, since: str, until: str, zone: str, grain: str) -> list[datetime]:
    with people.as_("ada"):
        return people.one(BARS, since, until, zone, grain)["bars"]


def hours(found: list[datetime]) -> list[float]:
    """How many hours each bar has."""
    return [(after - at) / timedelta(hours=1) for at, after in pairwise(found)]


@pytest.mark.parametrize(("zone", "day", "grain", "lengths"), [
    ("UTC", "2026-03-28", "day", [24, 24, 24]),
    ("Europe/Berlin", "2026-03-28", "day", [24, 23, 24]),
    ("Europe/Berlin", "2026-10-24", "day", [24, 25, 24]),
    ("America/New_York", "2026-11-01", "day", [25, 24, 24]),
    ("Australia/Lord_Howe", "2026-04-04", "day", [24, 24.5, 24]),
    ("Africa/Cairo", "2026-04-23", "day", [24, 23, 24]),  # no midnight on the 24th
    ("America/Havana", "2026-10-31", "day", [24, 25, 24]),  # two on November 1st
    ("Atlantic/Azores", "2026-10-24", "day", [24, 25, 24]),
    ("Asia/Kathmandu", "2026-10-24", "day", [24, 24, 24]),
    ("Australia/Lord_Howe", "2026-04-05", "hour", [1, 1.5] + 70 * [1]),
    ("Europe/Berlin", "2026-03-28", "week", [167]),
])  # fmt: skip
def test_each_has_as_many_hours_as_on_the_clocks_of_the_zone(
    people: People, zone: str, day: str, grain: str, lengths: list[float]
) -> None:
    since = f"{day} 00:00 {zone}"
    until = (datetime.fromisoformat(day) + timedelta(days=1 if grain == "week" else 3)).date()
    assert hours(bars(people, since, f"{until} 00:00 {zone}", zone, grain)) == lengths


def test_the_first_is_the_one_around_the_beginning_and_the_last_the_end(people: People) -> None:
    found = bars(people, "2026-10-14 13:37Z", "2026-12-01 00:00Z", "Europe/Berlin", "month")
    assert [f"{at:%m-%d %H}" for at in found] == ["09-30 22", "10-31 23", "11-30 23", "12-31 23"]
    (monday, _) = bars(people, "2026-10-14 13:37Z", "2026-10-14 13:38Z", "Asia/Kolkata", "week")
    assert f"{monday:%m-%d %H:%M}" == "10-11 18:30"
    found = bars(people, "2026-10-14 13:37Z", "2026-10-14 15:00Z", "Asia/Kolkata", "hour")
    assert [f"{at:%H:%M}" for at in found] == ["13:30", "14:30", "15:30"]


def test_weeks_can_be_cut_where_a_month_begins(people: People) -> None:
    found = bars(
        people, "2026-09-23 00:00 Europe/Berlin", "2026-10-14 00:00 Europe/Berlin", "Europe/Berlin", "week_of_month"
    )
    assert [f"{at:%m-%d %H}" for at in found] == [
        "09-20 22",
        "09-27 22",
        "09-30 22",
        "10-04 22",
        "10-11 22",
        "10-18 22",
    ]
    found = bars(people, "2026-10-02", "2026-10-04", "UTC", "week_of_month")
    assert [f"{at:%m-%d}" for at in found] == ["10-01", "10-05"]


def test_a_period_without_length_has_none(people: People) -> None:
    assert bars(people, "2026-10-14", "2026-10-14", "UTC", "day") is None
    assert bars(people, "2026-10-15", "2026-10-14", "UTC", "hour") is None


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "bars") == {"authenticated"}
    words: tuple[Any, ...] = ("2026-10-14", "2026-10-15", "UTC", "day")
    with people.as_("nobody"):
        people.refused("42501", BARS, *words)
