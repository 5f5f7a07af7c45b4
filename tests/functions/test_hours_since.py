"""app.hours_since: the first day from which on sums per hour have every hour."""

from __future__ import annotations

from datetime import date

from checks import executors
from people import People

SINCE = "select app.hours_since() as day"
DROP = "insert into private.dropped_months (month, calls, reason, has_hours) values (%s, 1, 'a test', %s)"


def test_it_is_the_month_after_the_last_one_that_was_dropped_without_hours(people: People) -> None:
    with people.as_("dev"):
        assert people.one(SINCE)["day"] == date.min
    for month, has_hours in (("2025-11-01", False), ("2025-12-01", False), ("2026-01-01", True)):
        people.conn.execute(DROP, [month, has_hours])
    with people.as_("dev"):
        assert people.one(SINCE)["day"] == date(2026, 1, 1)


def test_who_may_run_it(db) -> None:
    assert executors(db, "hours_since") == {"authenticated"}
