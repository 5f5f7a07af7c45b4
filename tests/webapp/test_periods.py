"""Periods in a time zone: their days, the periods beside them and the one they are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from webapp import filters
from webapp.periods import Period, midnight, months_later

BERLIN, KOLKATA, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC")
CAIRO = ZoneInfo("Africa/Cairo")  # its clock changes at midnight
NOW = datetime(2026, 11, 29, 21, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def days(first: str, last: str, zone: ZoneInfo = UTC_ZONE) -> Period:
    return Period.of_days(date.fromisoformat(first), date.fromisoformat(last), zone)


@pytest.mark.parametrize(("day", "count", "found"), [
    ("2026-12-31", -1, "2026-11-30"), ("2026-01-31", 1, "2026-02-28"), ("2028-02-29", -12, "2027-02-28"),
    ("2027-02-28", -12, "2026-02-28"), ("2026-01-01", -1, "2025-12-01"), ("2026-12-01", 0, "2026-12-01"),
    ("2026-12-31", 14, "2028-02-29"),
])  # fmt: skip
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day: str, count: int, found: str) -> None:
    assert months_later(date.fromisoformat(day), count) == date.fromisoformat(found)


@pytest.mark.parametrize(("name", "first", "last"), [
    ("today", "2026-11-29", "2026-11-29"), ("yesterday", "2026-11-28", "2026-11-28"), ("7", "2026-11-23", "2026-11-29"),
    ("30", "2026-10-31", "2026-11-29"), ("month", "2026-11-01", "2026-11-29"),
    ("last-month", "2026-10-01", "2026-10-31"),
])  # fmt: skip
def test_named_periods(name: str, first: str, last: str) -> None:
    found = Period.named(name, NOW.date(), BERLIN)
    assert found == days(first, last, BERLIN) and found.whole
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


def test_days_of_a_zone_begin_at_its_midnight_and_may_have_23_or_25_hours() -> None:
    assert midnight(date(2026, 11, 29), KOLKATA) == datetime(2026, 11, 28, 18, 30, tzinfo=UTC)
    lengths = {"2026-03-29": 23, "2026-10-25": 25, "2026-10-26": 24}
    for day, hours in lengths.items():
        period = days(day, day, BERLIN)
        assert (period.until - period.since, period.days, period.whole) == (hours * HOUR, 1, True)
    assert days("2026-10-01", "2026-10-31", BERLIN).months == 1
    lost = days("2026-04-24", "2026-04-24", CAIRO)  # its clock went from 0:00 to 1:00
    assert (lost.first.isoformat(), lost.whole, lost.until - lost.since) == ("2026-04-24", True, 23 * HOUR)


def test_what_is_not_made_of_whole_days_is_known() -> None:
    assert not Period(NOW, NOW + HOUR, UTC_ZONE).whole
    assert not Period(*_span(days("2026-11-01", "2026-11-30")), BERLIN).whole, "days of another zone"
    assert days("2026-11-01", "2026-11-29").months == 0 == days("2026-11-02", "2026-11-30").months
    assert (days("2026-02-01", "2026-02-28").months, days("2026-01-01", "2027-12-31").months) == (1, 24)


def _span(period: Period) -> tuple[datetime, datetime]:
    return period.since, period.until


@pytest.mark.parametrize(("first", "last", "earlier", "later"), [
    ("2026-10-01", "2026-10-31", ("2026-09-01", "2026-09-30"), ("2026-11-01", "2026-11-30")),
    ("2028-02-01", "2028-02-29", ("2028-01-01", "2028-01-31"), ("2028-03-01", "2028-03-31")),
    ("2026-11-01", "2026-11-29", ("2026-10-01", "2026-10-31"), ("2026-12-01", "2026-12-31")),  # this month so far
    ("2026-11-01", "2026-11-28", ("2026-10-04", "2026-10-31"), ("2026-11-29", "2026-12-26")),
    ("2026-07-01", "2026-09-30", ("2026-04-01", "2026-06-30"), ("2026-10-01", "2026-12-31")),
    ("2026-10-19", "2026-10-25", ("2026-10-12", "2026-10-18"), ("2026-10-26", "2026-11-01")),
    ("2026-10-25", "2026-10-25", ("2026-10-24", "2026-10-24"), ("2026-10-26", "2026-10-26")),
])  # fmt: skip
def test_beside_a_period_are_as_many_months_or_days(
    first: str, last: str, earlier: tuple[str, str], later: tuple[str, str]
) -> None:
    period = days(first, last, BERLIN)
    assert period.beside(-1, NOW.date()) == days(*earlier, BERLIN)
    assert period.beside(1, NOW.date()) == days(*later, BERLIN)


@pytest.mark.parametrize(("first", "last", "before", "year"), [
    # this month so far: the same days of the month before
    ("2026-11-01", "2026-11-29", ("2026-10-01", "2026-10-29", "1–29 Oct 2026"), ("2025-11-01", "2025-11-29")),
    # a whole calendar month: the whole month before it
    ("2026-10-01", "2026-10-31", ("2026-09-01", "2026-09-30", "1–30 Sep 2026"), ("2025-10-01", "2025-10-31")),
    ("2029-02-01", "2029-02-28", ("2029-01-01", "2029-01-31", "1–31 Jan 2029"), ("2028-02-01", "2028-02-29")),
    # one that goes on after today: until today
    ("2026-01-01", "2026-12-31", ("2025-01-01", "2025-11-29", "1 Jan – 29 Nov 2025"), ("2025-01-01", "2025-11-29")),
    # a week, or any number of days: as many right before
    ("2026-11-16", "2026-11-22", ("2026-11-09", "2026-11-15", "9–15 Nov 2026"), ("2025-11-16", "2025-11-22")),
    ("2026-10-31", "2026-11-29", ("2026-10-01", "2026-10-30", "1–30 Oct 2026"), ("2025-10-31", "2025-11-29")),
    ("2026-01-02", "2026-01-03", ("2025-12-31", "2026-01-01", "31 Dec 2025 – 1 Jan 2026"),
     ("2025-01-02", "2025-01-03")),
    ("2026-11-28", "2026-11-28", ("2026-11-27", "2026-11-27", "27 Nov 2026"), ("2025-11-28", "2025-11-28")),
    ("2028-02-29", "2028-02-29", ("2028-02-28", "2028-02-28", "28 Feb 2028"), ("2027-02-28", "2027-02-28")),
])  # fmt: skip
def test_a_period_is_compared_by_the_calendar(
    first: str, last: str, before: tuple[str, str, str], year: tuple[str, str]
) -> None:
    period = days(first, last, BERLIN)
    other = period.compared("before", NOW)
    assert (other, other.words) == (days(*before[:2], BERLIN), before[2])
    assert period.compared("year", NOW) == days(*year, BERLIN)
    assert period.compared("none", NOW) is None


@pytest.mark.parametrize(("now", "last", "before"), [
    ("2026-03-30", "2026-03-30", "2026-02-28"), ("2028-03-30", "2028-03-30", "2028-02-29"),
    ("2026-03-31", "2026-03-31", "2026-02-28"), ("2026-10-25", "2026-10-25", "2026-09-25"),
    ("2026-11-30", "2026-11-30", "2026-10-30"), ("2027-02-28", "2027-02-28", "2027-01-28"),  # not over yet
])  # fmt: skip
def test_the_same_days_of_a_shorter_month_end_with_it(now: str, last: str, before: str) -> None:
    moment = datetime.fromisoformat(f"{now}T12:00:00+00:00")
    period = Period.named("month", moment.date(), BERLIN)
    assert period == days(f"{last[:8]}01", last, BERLIN)
    assert period.compared("before", moment) == days(f"{before[:8]}01", before, BERLIN)


@pytest.mark.parametrize(("name", "today", "before", "earlier"), [
    ("today", "2026-12-01", ("2026-11-30", "2026-11-30"), ("2026-11-30", "2026-11-30")),
    ("month", "2026-12-01", ("2026-11-01", "2026-11-01"), ("2026-11-01", "2026-11-30")),
    ("7", "2026-12-07", ("2026-11-24", "2026-11-30"), ("2026-11-24", "2026-11-30")),
    ("30", "2026-11-30", ("2026-10-02", "2026-10-31"), ("2026-10-02", "2026-10-31")),
    ("yesterday", "2026-12-02", ("2026-11-30", "2026-11-30"), ("2026-11-30", "2026-11-30")),
    ("last-month", "2026-12-07", ("2026-10-01", "2026-10-31"), ("2026-10-01", "2026-10-31")),
])  # fmt: skip
def test_days_that_are_a_month_as_well_are_compared_as_they_were_asked_for(
    name: str, today: str, before: tuple[str, str], earlier: tuple[str, str]
) -> None:
    moment = midnight(date.fromisoformat(today) + timedelta(days=1), BERLIN) - timedelta(microseconds=1)
    query = filters.read(MultiDict({"period": name}), BERLIN, now=moment)
    other = query.span.compared("before", moment)
    assert (other.first.isoformat(), other.last.isoformat()) == before
    assert query.beside(-1).span == days(*earlier, BERLIN)
    assert query.beside(-1).beside(1).span.first == query.span.first


def test_the_first_day_of_a_month_by_its_date_is_a_day() -> None:
    first = days("2026-12-01", "2026-12-01")
    moment = datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert first.compared("before", moment).words == "30 Nov 2026 until 09:00"
    assert first.compared("before", moment + timedelta(days=3)) == days("2026-11-30", "2026-11-30")


def test_what_began_today_is_compared_up_to_the_same_time_of_day() -> None:
    today = Period.named("today", date(2026, 11, 29), BERLIN)
    other = today.compared("before", NOW)
    assert _span(other) == (midnight(date(2026, 11, 28), BERLIN), NOW - timedelta(days=1))
    assert other.words == "28 Nov 2026 until 22:30"
    after_the_change = datetime(2026, 10, 25, 11, tzinfo=UTC)  # noon in Berlin, whose clock went back in the night
    other = Period.named("today", date(2026, 10, 25), BERLIN).compared("before", after_the_change)
    assert other.until == datetime(2026, 10, 24, 10, tzinfo=UTC), "noon too"
    first = datetime(2026, 11, 1, 9, tzinfo=UTC)
    other = Period.named("month", first.date(), UTC_ZONE).compared("before", first)
    assert _span(other) == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 1, 9, tzinfo=UTC))
    midnight_now = datetime(2026, 11, 29, tzinfo=UTC)
    other = Period.named("today", midnight_now.date(), UTC_ZONE).compared("before", midnight_now)
    assert other.since < other.until <= midnight_now


def test_hours_are_compared_with_as_many_before_or_with_the_same_a_year_earlier() -> None:
    hours = Period(NOW, NOW + 2 * HOUR, BERLIN)
    assert _span(hours.compared("before", NOW)) == (NOW - 2 * HOUR, NOW)
    assert _span(hours.compared("year", NOW)) == (NOW.replace(year=2025), NOW.replace(year=2025) + 2 * HOUR)
    assert hours.words == "29 Nov 2026, 22:30 – 30 Nov 2026, 00:30"
    assert hours.beside(1, NOW.date()).words == "30 Nov 2026, 00:30 – 02:30"
    summer = datetime(2026, 3, 29, 12, tzinfo=UTC)  # 14:00 in Berlin; a year before, the clock had not changed yet
    assert Period(summer, summer + HOUR, BERLIN).compared("year", NOW).since == datetime(2025, 3, 29, 13, tzinfo=UTC)


def test_hours_of_the_29th_of_february_end_after_they_begin_a_year_earlier() -> None:
    noon = datetime(2024, 2, 28, 12, tzinfo=UTC)
    other = Period(noon, noon + 22 * HOUR, UTC_ZONE).compared("year", NOW)
    assert _span(other) == (noon.replace(year=2023), noon.replace(year=2023) + 22 * HOUR)
