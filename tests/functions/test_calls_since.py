"""app.calls_since: the first day from which on no calls were dropped."""

from __future__ import annotations

from datetime import date

from checks import executors
from people import People

SINCE = "select app.calls_since() as day"


def test_it_is_the_month_after_the_last_one_that_was_dropped(people: People) -> None:
    with people.as_("dev"):
        assert people.one(SINCE)["day"] == date.min
    for month in ("2025-12-01", "2025-11-01"):
        people.conn.execute("insert into private.dropped_months (month, calls, reason) values (%s, 1, 'old')", [month])
    with people.as_("dev"):
        assert people.one(SINCE)["day"] == date(2026, 1, 1)
    assert executors(people.conn, "calls_since") == {"authenticated"}
