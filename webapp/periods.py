"""Periods in a time zone: named ones, those before and after, and the one that a period is compared with.

Days and months are those of the zone, so that a day with a change of the clock has 23 or 25 hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from webapp import written

NAMES = ("today", "yesterday", "7", "30", "month", "last-month")
NAMES_OF_MONTHS = ("month", "last-month")
# Far from the first and last date of Python, so that the period of equal length before any period can be computed.
YEARS = range(1970, 3000)
ONE_DAY = timedelta(days=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def months_later(day: date, count: int) -> date:
    """The same day of a later (or, for a negative count, earlier) month; the last day of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - ONE_DAY)


@dataclass(frozen=True)
class Period:
    """All moments from since to before until, both aware and UTC.

    name: the one of NAMES that it was asked for by. The same days may be the last seven and a month so far, and each
    is compared with something else. Without a name its dates decide: a single day is a day.
    """

    since: datetime
    until: datetime
    zone: ZoneInfo
    name: str = field(default="", compare=False)

    @classmethod
    def of_days(cls, first: date, last: date, zone: ZoneInfo) -> Period:
        """The days from first to last, both included."""
        return cls(midnight(first, zone), midnight(last + ONE_DAY, zone), zone)

    @classmethod
    def named(cls, name: str, today: date, zone: ZoneInfo) -> Period:
        """One of NAMES; a number is that of days, today included."""
        first, last = today, today
        match name:
            case "today":
                pass
            case "yesterday":
                first = last = today - ONE_DAY
            case "month":
                first = today.replace(day=1)
            case "last-month":
                first, last = months_later(today.replace(day=1), -1), today.replace(day=1) - ONE_DAY
            case _:
                first = today - timedelta(days=int(name) - 1)
        return replace(cls.of_days(first, last, zone), name=name)

    @property
    def first(self) -> date:
        """The day on which it begins."""
        return self.since.astimezone(self.zone).date()

    @property
    def last(self) -> date:
        """The day on which it ends, which belongs to it at least in part."""
        return (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def days(self) -> int:
        """On how many days it is, at least in part."""
        return (self.last - self.first).days + 1

    @property
    def whole(self) -> bool:
        """Whether it is made of whole days."""
        return self == Period.of_days(self.first, self.last, self.zone)

    @property
    def months(self) -> int:
        """Of how many whole calendar months it is made; 0 where it is not, or was asked for as a number of days."""
        after = self.last + ONE_DAY
        if not self.whole or self.first.day != 1 or after.day != 1 or self._of_days_by_name:
            return 0
        return (after.year - self.first.year) * 12 + after.month - self.first.month

    def is_month_so_far(self, today: date) -> bool:
        """Whether it is the calendar month of today, from its first day until today."""
        if self._of_days_by_name or (self.days == 1 and not self.name):
            return False
        return self.whole and self.first == today.replace(day=1) and self.last == today

    @property
    def _of_days_by_name(self) -> bool:
        return bool(self.name) and self.name not in NAMES_OF_MONTHS

    def beside(self, steps: int, today: date) -> Period:
        """The period of the same kind steps later, or before it for negative steps: whole months, days, or hours."""
        months = self.months or int(self.is_month_so_far(today))
        if months:
            first = months_later(self.first, steps * months)
            return Period.of_days(first, months_later(first, months) - ONE_DAY, self.zone)
        if self.whole:
            shift = timedelta(days=steps * self.days)
            return Period.of_days(self.first + shift, self.last + shift, self.zone)
        length = self.until - self.since
        return Period(self.since + steps * length, self.until + steps * length, self.zone)

    def compared(self, word: str, now: datetime) -> Period | None:
        """The period that it is compared with. word: before, year or none.

        before: for this month the same days of the month before, on its last day too, which is not over; else the
        whole months, the days or the hours right before. year: the same days a year earlier. Of one that goes on after
        today, as many days as it has until today. If it is exactly today, the other day is cut at the same time of day,
        because a whole day beside it would look like a fall.
        """
        if word == "none":
            return None
        today = now.astimezone(self.zone).date()
        so_far = self.is_month_so_far(today)
        if word == "before" and not so_far:
            other = self.beside(-1, today)
        elif not self.whole:
            since = self._a_year_before(self.since)
            other = Period(since, since + (self.until - self.since), self.zone)
        else:
            back = -12 if word == "year" else -1
            whole = self.months and not (so_far and word == "before")
            last = months_later(self.last + ONE_DAY, back) - ONE_DAY if whole else months_later(self.last, back)
            other = Period.of_days(months_later(self.first, back), last, self.zone)
        if self.whole and self.first <= today < self.last:
            return Period.of_days(other.first, min(other.last, other.first + (today - self.first)), self.zone)
        if self.whole and self.first == self.last == today:
            clock = now.astimezone(self.zone).time()
            until = datetime.combine(other.first, clock, self.zone).astimezone(UTC)
            return Period(other.since, max(until, other.since + timedelta(microseconds=1)), self.zone)
        return other

    def _a_year_before(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.zone)
        return datetime.combine(months_later(local.date(), -12), local.time(), self.zone).astimezone(UTC)

    @property
    def words(self) -> str:
        """In words: those of ``written.days``, with times of day unless it is whole days."""
        first, last = self.first, self.last
        if not self.whole:
            since, until = self.since.astimezone(self.zone), self.until.astimezone(self.zone)
            end = f"{until:%H:%M}" if first == last else f"{written.day(until.date())}, {until:%H:%M}"
            if since == midnight(first, self.zone) and first == last:
                return f"{written.day(first)} until {end}"
            return f"{written.day(first)}, {since:%H:%M} – {end}"
        return written.days(first, last)
