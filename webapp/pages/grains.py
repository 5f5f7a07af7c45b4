"""Bars of a chart by hour, day, week or month: their names, and the period that each opens one step finer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from webapp.filters import Query, period_as_args
from webapp.pages.scope import Scope
from webapp.periods import Period
from webapp.written import day, days

WORDS = {"hour": "Hour", "day": "Day", "week": "Week", "month": "Month"}
FINER = {"month": "day", "week": "day", "day": "hour"}
# Grain → shortest and longest period, in days, for which its bars say something.
SENSIBLE = {"hour": (0, 8), "day": (2, 366), "week": (14, 1100), "month": (58, 40_000)}


def sensible(query: Query) -> list[str]:
    """The grains to choose from for this period; its own is always among them."""
    length = (query.until - query.since) / timedelta(days=1)
    return [grain for grain, (least, most) in SENSIBLE.items() if least <= length <= most or grain == query.grain]


def heads(starts: Sequence[datetime], ends: Sequence[datetime], grain: str, zone: ZoneInfo) -> list[str]:
    """The full name of each bar: Tue 10 Nov 2026; 9–15 Nov 2026."""
    shown = [moment.astimezone(zone) for moment in starts]
    if grain == "hour":
        twice = Counter((at.date(), at.hour, at.minute) for at in shown)  # when clocks go back
        return [
            f"{at:%a} {day(at.date())}, {at:%H:%M}" + (f" {at:%Z}" if twice[at.date(), at.hour, at.minute] > 1 else "")
            for at in shown
        ]
    if grain == "month":
        return [f"{at:%B %Y}" for at in shown]
    if grain == "week":
        lasts = [(end - timedelta(microseconds=1)).astimezone(zone) for end in ends]
        return [days(at.date(), last.date()) for at, last in zip(shown, lasts, strict=True)]
    return [f"{at:%a} {day(at.date())}" for at in shown]


def ticks(starts: Sequence[datetime], grain: str, zone: ZoneInfo) -> list[str]:
    """The short name of each bar, for the axis: 10 Nov."""
    shown = [moment.astimezone(zone) for moment in starts]
    if grain == "hour":
        several = len({at.date() for at in shown}) > 1
        return [f"{at.day} {at:%b} {at:%H:%M}" if several else f"{at:%H:%M}" for at in shown]
    if grain == "month":
        return month_ticks([at.date() for at in shown])
    return [f"{at.day} {at:%b}" for at in shown]


def month_ticks(months: Sequence[date]) -> list[str]:
    """Short names of months: Nov; with the year where one begins."""
    return [f"{month:%b %Y}" if month.month == 1 else f"{month:%b}" for month in months]


def link(scope: Scope, start: datetime, end: datetime, back: str) -> str:
    """The address that a bar opens: its days or hours on this page, or an hour's calls. back: words of this page."""
    since, until = max(start, scope.query.since), min(end, scope.query.until)
    finer = FINER.get(scope.query.grain)
    if finer is None:
        return scope.link("calls.index", back=None, **period_as_args(Period(since, until, scope.query.zone)))
    first, last = (at.astimezone(scope.query.zone).date() for at in (since, until - timedelta(microseconds=1)))
    period = {"from": str(first), "to": str(last)}
    return scope.link(grain=finer, back=back, **period)


def of_bars(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of whole bars among those of app.spend_report, by time."""
    return [row for row in rows if row["series"] is None]
