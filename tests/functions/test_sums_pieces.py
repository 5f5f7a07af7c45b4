"""app.sums_pieces: what a sum is read from: daily totals, hourly totals, or the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks import executors
from people import People

PIECES = """
    select p.* from app.sums_pieces(%s, %s, %s, %s,
        coalesce(app.bars(%s, %s, %s, %s), '{}'), %s) p"""


def pieces(
    people: People, since: str, until: str, zone: str = "UTC", grain: str | None = None, totals: bool = True
) -> dict[str, list[Any]]:
    """unit → days as (first, end), hours, and parts of hours as (since, until), written as day, hour and minute."""
    with people.as_("ada"):
        rows = people.all(PIECES, since, until, zone, grain, since, until, zone, grain, totals)
    found: dict[str, list[Any]] = {}
    for row in rows:
        ends = row["until"] or [at + timedelta(hours=1) for at in row["since"]]
        found.setdefault(row["unit"], []).extend(
            f"{since:%d %H:%M}-{until:%d %H:%M}" for since, until in zip(row["since"], ends, strict=True)
        )
    return found


def test_whole_days_of_utc_are_read_as_such(people: People) -> None:
    for grain in (None, "day", "week", "month"):
        assert pieces(people, "2026-10-01Z", "2026-10-04Z", grain=grain) == {"day": ["01 00:00-04 00:00"]}


def test_the_edges_of_a_period_are_hours_and_parts_of_hours(people: People) -> None:
    assert pieces(people, "2026-10-01 21:40Z", "2026-10-04 01:10Z") == {
        "day": ["02 00:00-04 00:00"],
        "hour": ["01 22:00-01 23:00", "01 23:00-02 00:00", "04 00:00-04 01:00"],
        "call": ["01 21:40-01 22:00", "04 01:00-04 01:10"],
    }
    assert pieces(people, "2026-10-01 21:40Z", "2026-10-01 21:50Z") == {"call": ["01 21:40-01 21:50"]}
    assert pieces(people, "2026-10-01 21:40Z", "2026-10-01 22:50Z") == {
        "call": ["01 21:40-01 22:00", "01 22:00-01 22:50"]
    }


def test_a_sum_in_another_zone_costs_the_hours_of_its_two_edges(people: People) -> None:
    found = pieces(people, "2026-10-01 Europe/Berlin", "2026-10-31 Europe/Berlin")
    assert found["day"] == ["01 00:00-30 00:00"] and "call" not in found
    assert found["hour"][:2] == ["30 22:00-30 23:00", "30 23:00-01 00:00"] and len(found["hour"]) == 2 + 23


@pytest.mark.parametrize(("zone", "hours", "parts"), [
    ("Europe/Berlin", 2, 0), ("America/New_York", 4, 0), ("Asia/Kolkata", 5, 1), ("Asia/Kathmandu", 5, 1),
])  # fmt: skip
def test_a_day_of_another_zone_costs_the_hours_between_its_edge_and_the_nearer_midnight(
    people: People, zone: str, hours: int, parts: int
) -> None:
    two, three = (pieces(people, f"2026-10-01 {zone}", f"2026-10-{day} {zone}", zone, "day") for day in ("05", "06"))
    more = {unit: len(three.get(unit, [])) - len(two.get(unit, [])) for unit in ("hour", "call")}
    assert more == {"hour": hours, "call": parts}


def test_hours_of_the_zone_are_hours_of_utc_where_they_begin_together(people: People) -> None:
    assert (
        len(pieces(people, "2026-10-01 Europe/Berlin", "2026-10-02 Europe/Berlin", "Europe/Berlin", "hour")["hour"])
        == 24
    )
    found = pieces(people, "2026-10-01 Asia/Kolkata", "2026-10-02 Asia/Kolkata", "Asia/Kolkata", "hour")
    assert found.keys() == {"call"}


def test_where_no_totals_answer_the_calls_are_read(people: People) -> None:
    assert pieces(people, "2026-10-01Z", "2026-10-04Z", totals=False) == {"call": ["01 00:00-04 00:00"]}
    assert pieces(people, "2026-10-04Z", "2026-10-01Z") == {}


def test_before_hours_were_kept_a_day_of_utc_counts_as_the_day_of_the_zone(people: People) -> None:
    people.conn.execute(
        "insert into private.dropped_months (month, calls, reason, has_hours) values ('2026-09-01', 1, 'old', false)"
    )
    september = pieces(people, "2026-09-29 America/New_York", "2026-10-01 America/New_York", "America/New_York", "day")
    assert september == {"day": ["29 00:00-01 00:00"], "hour": [f"01 0{n}:00-01 0{n + 1}:00" for n in range(4)]}
    assert pieces(people, "2026-09-29 Asia/Kolkata", "2026-09-30 Asia/Kolkata", "Asia/Kolkata", "day") == {
        "day": ["29 00:00-30 00:00"]
    }
    with people.as_("ada"):
        (row,) = people.all(
            "select * from app.sums_pieces('2026-09-29Z', '2026-09-30Z', 'Asia/Kolkata', 'day', '{2026-09-28Z}', true)"
        )
    assert row["noon"] == "Asia/Kolkata" and row["since"] == [datetime(2026, 9, 29, tzinfo=UTC)]


def test_before_calls_were_kept_an_hour_counts_where_it_begins(people: People) -> None:
    people.conn.execute("insert into private.dropped_months (month, calls, reason) values ('2026-09-01', 1, 'old')")
    assert pieces(people, "2026-09-28 21:40Z", "2026-09-30 01:10Z") == {
        "day": ["29 00:00-30 00:00"],
        "hour": ["28 22:00-28 23:00", "28 23:00-29 00:00", "30 00:00-30 01:00", "30 01:00-30 02:00"],
    }
    assert pieces(people, "2026-09-28 21:40Z", "2026-09-28 21:50Z") == {}
    for zone in ("Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"):
        for grain in ("hour", "day"):
            assert "call" not in pieces(people, f"2026-09-10 {zone}", f"2026-09-20 {zone}", zone, grain)
    after = pieces(people, "2026-09-30 21:40Z", "2026-10-01 01:10Z")
    assert after["hour"] == ["30 22:00-30 23:00", "30 23:00-01 00:00", "01 00:00-01 01:00"]
    assert after["call"] == ["01 01:00-01 01:10"]


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "sums_pieces") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", "select app.sums_pieces(now(), now(), 'UTC', null, '{}', true)")
