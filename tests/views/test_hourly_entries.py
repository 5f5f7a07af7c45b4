"""hourly_entries: what daily_entries has of a day, by hour. The tests of test_daily_entries.py are of both views."""

from __future__ import annotations

from datetime import timedelta

from ledgers import DAY, add_call
from people import People


def test_calls_of_two_hours_are_two_entries_which_add_up_to_the_one_of_their_day(people: People) -> None:
    for minutes, cost in ((0, 1), (59, 2), (60, 4)):
        add_call(people, "ada", DAY + timedelta(minutes=minutes), cost=cost)
    with people.as_("dev"):
        hours = people.all("select hour, calls, cost from public.hourly_entries order by hour")
        (day,) = people.all("select day, calls, cost from public.daily_entries")
    assert [tuple(row.values()) for row in hours] == [(DAY, 2, 3), (DAY + timedelta(hours=1), 1, 4)]
    assert tuple(day.values()) == (DAY.date(), 3, 7)
