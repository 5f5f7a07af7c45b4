"""Files of Spend: the sums of its period and filters, one row for each day and project, model, key, person, tag, …

``by`` says what a row is about, ``and`` a second such thing. ``grain=month`` (week, hour) has a row for each month, and
one more with the totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from typing import Any

from flask import Response, request
from psycopg.types.json import Jsonb

from webapp import auth, db
from webapp.auth import login_required
from webapp.filters import Query
from webapp.pages import export
from webapp.pages.common import read_query, read_scope
from webapp.pages.measures import UNKNOWN, unknown_calls, unknown_facts
from webapp.pages.scope import Scope
from webapp.pages.spend import bp
from webapp.pages.wrong import no_such
from webapp.pause import gently, report

# What a row is about → the words of app.usage for it, and more columns of a row.
BY = {
    "project": (["project"], ["project_id"]),
    "model": (["model"], []),
    "key": (["project", "key"], ["project_id", "key_id", "key_prefix"]),
    "person": (["person"], ["person_id"]),
    "tag": (["tag"], []),
    "end_user": (["end_user"], []),
    "endpoint": (["endpoint"], []),
    "service_tier": (["service_tier"], []),
    "status": (["status"], []),
}
SUMS = ["calls", "tokens_in", "tokens_cached", "tokens_out", "cost"]
COUNTS = ["unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls", "adjustments", "cost_corrected"]


def facts(overlapping: bool = False) -> Iterator[tuple[str, Any]]:
    """What the sheet About says of the calls of this request: period, filters, sums, and what is not known.

    overlapping: whether a call with several tags is in several rows.
    """
    scope, total = auth.read(_total)
    yield "Period", scope.days
    for name, words, _ in scope.chips:
        yield f"Only {name.lower()}", words
    if total is None:
        yield "Calls", 0
        return
    yield "Calls", total["calls"]
    yield "Cost, US dollars", total["cost"]
    yield "Corrections booked in the period, part of the cost, US dollars", total["adjustments"]
    yield "Calls of the period with all their corrections until today, US dollars", total["cost_corrected"]
    yield from unknown_facts(total)
    if overlapping:
        yield "Tags", "A call with several tags is in the row of each: the rows do not add up to the total."


def _total(tx: db.Transaction) -> tuple[Scope, export.Row | None]:
    """The Scope of this request, and the sums of its calls; None without calls."""
    scope = read_scope(tx)
    since, until, filters = scope.words
    return scope, tx.call("usage", since, until, [], filters, scope.query.zone.key)


@bp.get("/spend.csv")
@bp.get("/spend.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The report of the same query string as a file."""
    query = read_query(request.args)
    words = [word for word in (request.args.get("by") or "project", request.args.get("and")) if word]
    for word in words:
        if word not in (*BY, "kind"):
            raise no_such("by", word)
    tag_name = request.args.get("tag_name", "").replace("\0", "") if words == ["tag"] else ""
    with auth.person() as tx:
        columns, rows = _kinds(tx, query) if "kind" in words else _sums(tx, query, words, tag_name)
        lack = tx.call("sums_lack", query.since, query.until, words, Jsonb(query.filters))["sums_lack"]
    told = facts(overlapping="tag" in words and not tag_name)
    lacking = (
        [("Not in the rows: calls from before this day (UTC), which were dropped, and their corrections", lack)]
        if lack
        else []
    )
    return export.period_answer("spend", columns, rows, query, chain(told, lacking))


def _sums(tx: db.Transaction, query: Query, by: list[str], tag_name: str) -> tuple[list[str], list[export.Row]]:
    """Columns and rows of sums for each bar. tag_name: by the values of this tag, with a row for the calls without."""
    since, until, filters = Scope(query).words
    groups = list(dict.fromkeys(group for word in by for group in BY[word][0]))
    more = list(dict.fromkeys(column for word in by for column in BY[word][1]))
    words = since, until, [query.asked_grain or "day", *groups], filters, query.zone.key
    *found, total = [*report(tx, *words)] or [None]
    if tag_name:
        found = tx.rows("sums", *words, tag_name, None)
        found.sort(key=lambda row: (row["bar"], -row["cost"], row["tag"] or ""))
    return _by_bar(query, [*groups, *more, *SUMS, *COUNTS], found, total)


def _kinds(tx: db.Transaction, query: Query) -> tuple[list[str], list[export.Row]]:
    """Columns and rows of what the dollars of each bar were paid for; one row for its calls without a known cost."""
    since, until, filters = Scope(query).words
    grain, zone = query.asked_grain or "day", query.zone.key
    found = tx.rows("spend_kinds", since, until, zone, grain, filters)
    bars = tx.rows("sums", since, until, [grain], filters, zone, None, ["calls", *UNKNOWN])
    days = {row["bar"]: row["day"] for row in bars}
    known = [row | {"day": days.get(row["bar"])} | dict.fromkeys(UNKNOWN) for row in found]
    unknown = [row | {"kind": "unknown", "cost": None} for row in bars if unknown_calls(row)]
    rows = sorted([*known, *unknown], key=itemgetter("bar"))
    return _by_bar(query, ["kind", "cost", *UNKNOWN], rows, tx.call("usage", since, until, [], filters, zone))


def _by_bar(
    query: Query, columns: list[str], found: list[export.Row], total: export.Row | None
) -> tuple[list[str], list[export.Row]]:
    """Columns and rows with the bar of each row as a date, of an hour as a moment; days have no row of totals.

    The date as Postgres says it: Python may have other rules for the zone, by which the bar begins the day before.
    """
    grain = query.asked_grain or "day"
    rows = [row | {grain: row["bar" if grain == "hour" else "day"]} for row in gently(found)]
    if total and grain != "day":
        rows.append(dict.fromkeys(columns) | total | {grain: "total"})
    return [grain, *columns], rows
