"""hourly_label_entries: daily_label_entries by hour. The tests of test_daily_label_entries.py are of both views."""

from __future__ import annotations

from datetime import timedelta

from ledgers import DAY, add_call
from people import People


def test_a_label_of_two_hours_has_two_entries_which_add_up_to_the_one_of_its_day(people: People) -> None:
    for minutes, cost in ((0, 1), (59, 2), (60, 4)):
        add_call(people, "ada", DAY + timedelta(minutes=minutes), cost=cost, end_user="u1")
    with people.as_("dev"):
        hours = people.all("select label, hour, calls, cost from public.hourly_label_entries order by hour")
        (day,) = people.all("select label, day, calls, cost from public.daily_label_entries")
    assert [tuple(row.values()) for row in hours] == [("u1", DAY, 2, 3), ("u1", DAY + timedelta(hours=1), 1, 4)]
    assert tuple(day.values()) == ("u1", DAY.date(), 3, 7)
