"""The query string parameters that choose a period and filter its calls: the same in pages, API and CSV.

``period``: today, 7, 30, month, last-month. Or ``from`` (inclusive) and ``to`` (exclusive): dates or RFC 3339 moments,
UTC. Filters may repeat: project, model, key, endpoint, status, cost_status, tag, end_user. ``group_by`` takes several.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from webapp.errors import ApiError

FILTERS = ("project", "model", "key", "endpoint", "status", "cost_status", "tag", "end_user")
SESSION_FILTERS = ("project", "key", "state")
GROUPS = ("day", "project", "model", "key", "endpoint", "service_tier", "status", "end_user", "tag")
PERIODS = ("today", "7", "30", "month", "last-month")
# Far from the first and last date of Python, so that the period of equal length before any period can be computed.
YEARS = range(1970, 3000)


@dataclass(frozen=True)
class Query:
    """A period [since, until), both aware and UTC, and the filters as lists of words."""

    since: datetime
    until: datetime
    period: str = "30"
    filters: dict[str, list[str]] = field(default_factory=dict)

    @property
    def before(self) -> Query:
        """The same filters for the period of the same length right before this one."""
        return Query(self.since - (self.until - self.since), self.since, "custom", self.filters)


def _today() -> datetime:
    return datetime.combine(datetime.now(UTC).date(), time(), UTC)


def _moment(args: MultiDict[str, str], name: str) -> datetime | None:
    text = (args.get(name) or "").strip()
    if not text:
        return None
    try:  # the + of an offset that the client did not percent-encode arrives as a space
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ApiError(400, "invalid_date", f"'{name}' is a date (2026-01-31) or an RFC 3339 moment", name) from None
    if moment.year not in YEARS:
        raise ApiError(400, "invalid_date", f"'{name}' is before {YEARS[0]} or after {YEARS[-1]}", name)
    return moment


def _of_period(word: str) -> tuple[datetime, datetime]:
    tomorrow = _today() + timedelta(days=1)
    month = _today().replace(day=1)
    match word:
        case "today":
            return _today(), tomorrow
        case "month":
            return month, tomorrow
        case "last-month":
            return (month - timedelta(days=1)).replace(day=1), month
        case _:
            return tomorrow - timedelta(days=int(word)), tomorrow


def of_sessions(args: MultiDict[str, str]) -> dict[str, list[str]]:
    """The filters of WebSocket sessions: project, key and state, each with the words it was given."""
    given = {name: [word.replace("\0", "") for word in args.getlist(name) if word] for name in SESSION_FILTERS}
    return {name: words for name, words in given.items() if words}


def read(args: MultiDict[str, str]) -> Query:
    """The Query that a query string asks for; ApiError 400 names the parameter that is wrong."""
    period = args.get("period") or "30"
    since, until = _moment(args, "from"), _moment(args, "to")
    if since or until:
        period = "custom"
        until = until or _today() + timedelta(days=1)
        since = since or until - timedelta(days=30)
    elif period in PERIODS:
        since, until = _of_period(period)
    else:
        raise ApiError(400, "invalid_period", "'period' is one of " + ", ".join(PERIODS), "period")
    if since >= until:
        raise ApiError(400, "invalid_period", "'from' must be before 'to'", "from")
    return Query(since, until, period, chosen(args))


def chosen(args: MultiDict[str, str]) -> dict[str, list[str]]:
    """The filters of a query string; empty values are ignored."""
    found: dict[str, list[str]] = {}
    for name in FILTERS:
        words = [w.replace("\x00", "") for w in args.getlist(name) if w]
        if words:
            found[name] = words
    return found


def groups(args: MultiDict[str, str]) -> list[str]:
    """The values of ``group_by``, comma-separated or repeated. ApiError 400 for an unknown one."""
    words = [word.strip() for part in args.getlist("group_by") for word in part.split(",") if word.strip()]
    for word in words:
        if word not in GROUPS:
            raise ApiError(400, "invalid_group_by", f"'group_by' takes {', '.join(GROUPS)}", "group_by")
    return list(dict.fromkeys(words))


def whole(text: str, least: int, most: int) -> int | None:
    """The whole number from least to most that text spells in ASCII digits; None for any other text."""
    digits = text.lstrip("0") or text[:1]  # Python refuses to read thousands of digits, even if all but one are zeros
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
        return None
    return int(digits) if least <= int(digits) <= most else None


def as_args(query: Query) -> dict[str, Any]:
    """The query string parameters from which ``read`` makes this Query again."""
    period = {"period": query.period}
    if query.period == "custom":
        period = {"from": _written(query.since), "to": _written(query.until)}
    return period | query.filters


def _written(moment: datetime) -> str:
    """A day as a date, any other moment in full."""
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat().replace("+00:00", "Z")
