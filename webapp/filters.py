"""The query string parameters that choose a period and filter its calls: the same in pages, API and exports.

``period``: one of PERIODS. Or ``from`` and ``to``: dates, of which ``to`` is the last one on pages and their exports,
and the first one that is left out in the API; or RFC 3339 moments, of which ``to`` is always left out. ``tz``: the zone
of days and of times without an offset. ``grain``: one of GRAINS. ``compare``: one of COMPARISONS.

Filters may repeat: project, model, key, endpoint, …; ``not_model`` leaves out calls of a model. ``-`` is a call without
the value (``end_user=-``); a value made of dashes alone is written with one dash more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from werkzeug.datastructures import MultiDict

from webapp.errors import ApiError
from webapp.periods import NAMES as PERIODS
from webapp.periods import ONE_DAY, YEARS, Period, midnight

FILTERS = (
    "project", "model", "key", "endpoint", "service_tier", "status", "cost_status", "tag", "end_user", "person",
)  # fmt: skip
EXCLUSIONS = tuple(f"not_{name}" for name in FILTERS)
SESSION_FILTERS = ("project", "key", "state")
GROUPS = ("day", "project", "model", "key", "endpoint", "service_tier", "status", "end_user", "tag", "person")
# Length of a bar → the longest period, in days, that has bars of it unless another grain is asked for.
GRAINS = {"hour": 2, "day": 92, "week": 366, "month": 10**6}
LEAST_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 28}
MOST_BARS = 1000
COMPARISONS = ("before", "year", "none")
AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
UTC_ZONE = ZoneInfo("UTC")
# Names that Postgres reads as an offset without summer time (organization_set_time_zone.sql refuses them, too), and the
# one that it does not have.
NOT_ZONES = {"CET", "EET", "MET", "WET", "localtime"}


@dataclass(frozen=True)
class Query:
    """A period [since, until), both aware and UTC, the filters as lists of words, and how the period is looked at."""

    since: datetime
    until: datetime
    period: str = "30"
    filters: dict[str, list[str]] = field(default_factory=dict)
    zone: ZoneInfo = UTC_ZONE
    tz: str = ""  # the zone, where the query string names one
    asked_grain: str = ""
    compare: str = "before"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def span(self) -> Period:
        """The period as such."""
        return Period(self.since, self.until, self.zone, "" if self.period == "custom" else self.period)

    @property
    def grain(self) -> str:
        """Length of a bar: as asked, unless that makes thousands of bars; else as fits the length of the period."""
        days = (self.until - self.since) / ONE_DAY
        if self.asked_grain and days / LEAST_DAYS[self.asked_grain] <= MOST_BARS:
            return self.asked_grain
        # The hour that a change of the clock adds does not count.
        return next(word for word, most in GRAINS.items() if days <= most + 1 / 12)

    @property
    def before(self) -> tuple[datetime, datetime] | None:
        """since and until of the period that this one is compared with."""
        other = self.span.compared(self.compare, self.now)
        return (other.since, other.until) if other else None

    @property
    def periods(self) -> tuple[datetime, datetime, datetime | None, datetime | None]:
        """since and until, and those of the period that it is compared with: as SQL functions take them."""
        return self.since, self.until, *(self.before or (None, None))

    @property
    def before_words(self) -> str:
        """The period that this one is compared with, in words: 1–29 Oct 2026; empty where there is none."""
        other = self.span.compared(self.compare, self.now)
        return other.words if other else ""

    def beside(self, steps: int) -> Query | None:
        """The same filters for the period of the same kind before (-1) or after (1); None where it cannot be asked for,
        or has not begun.
        """
        other = self.span.beside(steps, self.now.astimezone(self.zone).date())
        if other.since > self.now or other.first.year not in YEARS:
            return None
        return replace(self, since=other.since, until=other.until, period=self._name(other))

    def _name(self, other: Period) -> str:
        """The name of a period; custom where it has none."""
        today = self.now.astimezone(self.zone).date()
        if other.months == 1 and other.first == today.replace(day=1):
            return "month"  # which ends today: the days to come have no calls
        return next((name for name in PERIODS if Period.named(name, today, self.zone) == other), "custom")


@cache
def zones() -> list[str]:
    """Names of the time zones that a person may choose: UTC, and one for each place such as Europe/Berlin."""
    return ["UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS and "/" in name)]


def zone_of(args: MultiDict[str, str], otherwise: ZoneInfo) -> ZoneInfo:
    """The zone that ``tz`` names, if it is there; ApiError 400."""
    name = args.get("tz") or ""
    if not name:
        return otherwise
    if name in NOT_ZONES or name not in available_timezones():
        raise ApiError(400, "invalid_time_zone", "'tz' is the name of a time zone, such as Europe/Berlin", "tz")
    return ZoneInfo(name)


def _moment(args: MultiDict[str, str], name: str, zone: ZoneInfo, inclusive: bool) -> datetime | None:
    """from or to as a moment; inclusive: a date stands for its end, not its beginning."""
    text = (args.get(name) or "").strip()
    if not text:
        return None
    try:
        day = _date(text)
        # The + of an offset that the client did not percent-encode arrives as a space.
        moment = None if day else datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        year = (day or moment).year if moment is None or moment.tzinfo is None else moment.astimezone(UTC).year
        if year in YEARS and day:
            return midnight(day + ONE_DAY if inclusive else day, zone)
        if year in YEARS:
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ApiError(400, "invalid_date", f"'{name}' is a date (2026-01-31) or an RFC 3339 moment", name) from None
    raise ApiError(400, "invalid_date", f"'{name}' is before {YEARS[0]} or after {YEARS[-1]}", name)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def given(args: MultiDict[str, str], names: Iterable[str]) -> dict[str, list[str]]:
    """The parameters of these names that have words: name → words. Empty words are ignored."""
    found = {name: [word.replace("\0", "") for word in args.getlist(name) if word] for name in names}
    return {name: words for name, words in found.items() if words}


def read(
    args: MultiDict[str, str], zone: ZoneInfo = UTC_ZONE, *, inclusive: bool = False, now: datetime | None = None
) -> Query:
    """The Query that a query string asks for; ApiError 400 names the parameter that is wrong.

    zone: where ``tz`` names none. inclusive: whether a date as ``to`` is the last day of the period.
    """
    now = now or datetime.now(UTC)
    zone = zone_of(args, zone)
    today = now.astimezone(zone).date()
    period = args.get("period") or "30"
    since, until = _moment(args, "from", zone, inclusive=False), _moment(args, "to", zone, inclusive)
    if since or until:
        period = "custom"
        until = until or midnight(today + ONE_DAY, zone)
        since = since or midnight(until.astimezone(zone).date() - timedelta(days=30), zone)
    elif period in PERIODS:
        named = Period.named(period, today, zone)
        since, until = named.since, named.until
    else:
        raise ApiError(400, "invalid_period", "'period' is one of " + ", ".join(PERIODS), "period")
    if since >= until:
        words = "must not be after" if inclusive else "must be before"
        raise ApiError(400, "invalid_period", f"'from' {words} 'to'", "from")
    grain, compare = args.get("grain") or "", args.get("compare") or "before"
    if grain and grain not in GRAINS:
        raise ApiError(400, "invalid_grain", f"'grain' is one of {', '.join(GRAINS)}", "grain")
    if compare not in COMPARISONS:
        raise ApiError(400, "invalid_compare", f"'compare' is one of {', '.join(COMPARISONS)}", "compare")
    return Query(since, until, period, chosen(args), zone, args.get("tz") or "", grain, compare, now)


def chosen(args: MultiDict[str, str]) -> dict[str, list[str]]:
    """The filters of a query string, each value once."""
    return {
        name: [word if word.strip("-") else word[1:] for word in dict.fromkeys(words)]
        for name, words in given(args, (*FILTERS, *EXCLUSIONS)).items()
    }


def filter_value(value: str) -> str:
    """The value of a filter as query strings have it: ``-`` for no value."""
    return value if value.strip("-") else f"-{value}"


def groups(args: MultiDict[str, str]) -> list[str]:
    """The values of ``group_by``, comma-separated or repeated. ApiError 400 for an unknown one."""
    words = [word.strip() for part in args.getlist("group_by") for word in part.split(",") if word.strip()]
    for word in words:
        if word not in GROUPS:
            raise ApiError(400, "invalid_group_by", f"'group_by' takes {', '.join(GROUPS)}", "group_by")
    return list(dict.fromkeys(words))


def granularity(args: MultiDict[str, str]) -> str:
    """The value of ``granularity``, one of GRAINS; empty where there is none. ApiError 400."""
    word = args.get("granularity") or ""
    if word and word not in GRAINS:
        raise ApiError(400, "invalid_granularity", f"'granularity' is one of {', '.join(GRAINS)}", "granularity")
    if word not in ("", "day") and "day" in groups(args):
        raise ApiError(400, "invalid_granularity", "'granularity' beside group_by=day is day", "granularity")
    return word


def whole(text: str, least: int, most: int) -> int | None:
    """The whole number from least to most that text spells in ASCII digits; None for any other text."""
    digits = text.lstrip("0") or text[:1]  # Python refuses to read thousands of digits, even if all but one are zeros
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
        return None
    return int(digits) if least <= int(digits) <= most else None


def as_args(query: Query) -> dict[str, Any]:
    """The query string parameters from which ``read`` makes this Query again, with the last day as ``to``."""
    args: dict[str, Any] = {"period": query.period}
    if query.period == "custom":
        args = period_as_args(query.span)
    args |= {"tz": query.tz, "grain": query.asked_grain, "compare": "" if query.compare == "before" else query.compare}
    return {name: word for name, word in args.items() if word} | {
        name: [filter_value(word) for word in words] for name, words in query.filters.items()
    }


def period_as_args(span: Period) -> dict[str, str]:
    """from and to: whole days as dates, moments in full."""
    if span.whole:
        return {"from": span.first.isoformat(), "to": span.last.isoformat()}
    return {"from": _in_full(span.since), "to": _in_full(span.until)}


def _in_full(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
