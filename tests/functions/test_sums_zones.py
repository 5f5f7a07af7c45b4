"""app.sums in time zones: hours, days, weeks and months of the zone's calendar, also where clocks are changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from checks import examples, some
from hypothesis import given
from hypothesis import strategies as st
from ledgers import add_call, adjust
from people import People
from totals import NUMBERS, Filters, entries, fits

# Zone → days (UTC) around which its clocks are changed; Kolkata and Kathmandu have one offset of 5:30 and 5:45 hours.
ZONES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Asia/Kolkata": ("2026-03-29", "2026-10-25"),
    "Asia/Kathmandu": ("2026-03-29", "2026-10-25"),
    "Australia/Lord_Howe": ("2026-04-04", "2026-10-03"),
    "Atlantic/Azores": ("2026-03-29", "2026-10-25"),  # midnight comes twice in October and not at all in March
    "UTC": ("2026-03-29",),
}
GRAINS = ("hour", "day", "week", "month")
FILTERS: tuple[Filters, ...] = (
    {}, {"model": ["gpt-5"]}, {"end_user": ["u1"]}, {"tag": ["team"]}, {"not_end_user": ["u1"]},
    {"cost_status": ["priced"]},
)  # fmt: skip
SUMS = "select * from app.sums(%s, %s, %s, %s::jsonb, %s, %s, null)"
Row = dict[str, Any]
Group = tuple[Any, ...]


@pytest.fixture(scope="module")
def filled(people_in: Callable[[str], People]) -> tuple[People, list[Row]]:
    """Calls at random moments of the days around every change of clocks, many of them at the edges of hours."""
    people, chance = people_in("spendai_zones"), Random(7)
    with people.conn.transaction():
        for day in sorted({day for days in ZONES.values() for day in days}):
            midnight = datetime.fromisoformat(f"{day}T00:00Z")
            for ahead in (-4, 4, 40):
                people.conn.execute("select app.ensure_partition(%s)", [(midnight + timedelta(days=ahead)).date()])
            for _ in range(60):
                at = midnight + timedelta(minutes=15 * chance.randrange(-300, 300))
                at += timedelta(microseconds=chance.choice((-1, 0, 0, 1, 400_000_000)))
                words = {"tags": chance.choice(({}, {"team": "web"}, {"team": "ads", "env": "live"}))}
                words |= {"model": chance.choice(("gpt-5", "gpt-4o")), "end_user": chance.choice((None, "u1", "u2"))}
                call = add_call(people, "ada", at, cost=Decimal(chance.randrange(1, 10**6)) / 10**9, **words)
                if chance.random() < 0.2:
                    adjust(people, call, Decimal("0.001"), at + timedelta(minutes=15 * chance.randrange(200)))
    return people, entries(people)


@pytest.fixture
def busy(filled: tuple[People, list[Row]]) -> Iterator[tuple[People, list[Row]]]:
    people, found = filled
    with people.conn.transaction(force_rollback=True):
        yield people.copy(), found


def bar(at: datetime, zone: str, grain: str) -> Any:
    """The date of the day, week or month; of an hour its beginning: the last moment at which the clock was full."""
    clock = at.astimezone(ZoneInfo(zone))
    if grain == "hour":
        start = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        while start.astimezone(ZoneInfo(zone)).minute:
            start -= timedelta(minutes=15)
        return start
    day = clock.date()
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[grain]


def added_up(
    found: list[Row], since: datetime, until: datetime, zone: str, grain: str, filters: Filters, tag: str | None = None
) -> dict[Group, list[Any]]:
    groups: dict[Group, list[Any]] = defaultdict(lambda: [0] * len(NUMBERS))
    for entry in found:
        if since <= entry["at"] < until and fits(entry, filters):
            word = entry["tags"].get(tag) if tag else entry["end_user"]
            group = groups[bar(entry["at"], zone, grain), word]
            for place, name in enumerate(NUMBERS):
                group[place] += entry.get(name, 0)
    return {key: sums for key, sums in groups.items() if sums[0] or sums[NUMBERS.index("adjustments")]}


def app_sums(
    people: People, since: datetime, until: datetime, zone: str, grain: str, filters: Filters, tag: str | None = None
) -> dict[Group, list[Any]]:
    word = "tag" if tag else "end_user"
    with people.as_("ada"):
        rows = people.all(SUMS, since, until, [grain, word], json.dumps(filters), zone, tag)
    return {
        (row["bar" if grain == "hour" else "day"], row[word]): [row[name] for name in NUMBERS] for row in rows
    }  # fmt: skip


@pytest.mark.parametrize(("zone", "grain"), some([(zone, grain) for zone in ZONES for grain in GRAINS], 10))
def test_the_sums_of_every_bar_are_those_of_its_calls(busy: Any, zone: str, grain: str) -> None:
    people, found = busy
    for day in ZONES[zone]:
        midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
        first, next_day, last = ((midnight + timedelta(days=n)).astimezone(UTC) for n in (-2, 1, 3))
        odd = datetime.fromisoformat(f"{day}T13:37:11Z")
        periods = [(first, last), (midnight.astimezone(UTC), next_day), (odd, odd + timedelta(minutes=80)),
                   (odd - timedelta(days=2), odd + timedelta(days=1))]  # fmt: skip
        for n, (since, until) in enumerate(periods):
            for filters in FILTERS[n % 2 :: 2]:  # each filter with half of the periods
                right = added_up(found, since, until, zone, grain, filters)
                assert app_sums(people, since, until, zone, grain, filters) == right, (day, since, until, filters)
            right = added_up(found, since, until, zone, grain, {}, "team")
            assert app_sums(people, since, until, zone, grain, {}, "team") == right


@given(data=st.data())
@examples(20)
def test_a_period_cut_anywhere_has_the_sums_of_the_whole(busy: Any, data: st.DataObject) -> None:
    people, found = busy
    zone, grain, filters = (data.draw(st.sampled_from(words)) for words in (sorted(ZONES), GRAINS, FILTERS))
    midnight = datetime.fromisoformat(f"{data.draw(st.sampled_from(ZONES[zone]))}T00:00Z")
    minutes = data.draw(st.lists(st.integers(-4000, 4000), min_size=3, max_size=3, unique=True).map(sorted))
    since, cut, until = (midnight + timedelta(minutes=n) for n in minutes)
    whole = app_sums(people, since, until, zone, grain, filters)
    assert whole == added_up(found, since, until, zone, grain, filters)
    parts: dict[Group, list[Any]] = {}
    for period in ((since, cut), (cut, until)):
        for group, numbers in app_sums(people, *period, zone, grain, filters).items():
            parts[group] = [a + b for a, b in zip(parts.get(group, [0] * len(NUMBERS)), numbers, strict=True)]
    assert parts == whole


def test_all_time_by_month_and_an_unknown_zone(busy: Any) -> None:
    people, found = busy
    forever = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    with people.as_("ada"):
        rows = people.all(SUMS, "-infinity", "infinity", ["month"], "{}", "Asia/Kolkata", None)
        people.refused("22023", SUMS, *forever, ["month"], "{}", "Moon/Crater", None)
    months: dict[Any, int] = defaultdict(int)
    for (day, _), numbers in added_up(found, *forever, "Asia/Kolkata", "month", {}).items():
        months[day] += numbers[0]
    assert {row["day"]: row["calls"] for row in rows} == months
