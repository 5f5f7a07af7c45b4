"""Files of Spend: the sums of its period and filters, one row for each day and project, model, key, end user or tag.

``grain=month`` (week, hour) has a row for each month instead, and one more with the totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Response, request
from psycopg.types.json import Jsonb

from webapp import auth
from webapp.auth import login_required
from webapp.filters import Query
from webapp.pages import export
from webapp.pages.common import Scope, read_query, read_scope
from webapp.pages.spend import bp, chosen_by

# What a row is about → more columns beside its name.
IDS = {"project": ["project_id"], "key": ["project_id", "key_id", "key_prefix"]}
SUMS = ["calls", "tokens_in", "tokens_cached", "tokens_out", "cost"]
COUNTS = ["unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls", "adjustments", "cost_corrected"]
# Counts of calls that no sum contains → their words.
UNKNOWN = {"unpriced_calls": "without a price", "no_usage_calls": "without usage", "in_doubt_calls": "in doubt"}


def period_of(query: Query) -> str:
    """First and last day of a period, for names of files."""
    return f"{query.since.date()}-{(query.until - timedelta(microseconds=1)).date()}"


def facts(by: str = "") -> Iterator[tuple[str, Any]]:
    """What the sheet About says of the calls of this request: period, filters, sums, and what is not known."""
    with auth.person() as tx:
        scope = read_scope(tx)
        since, until, filters = scope.words
        total = tx.call("usage", since, until, [], filters)
    yield "Period", scope.days
    for name, words, _ in scope.chips:
        yield f"Only {name}", words
    if total is None:
        yield "Calls", 0
        return
    yield "Calls", total["calls"]
    yield "Cost, US dollars", total["cost"]
    yield "Corrections booked in the period, part of the cost, US dollars", total["adjustments"]
    yield "Calls of the period with all their corrections until today, US dollars", total["cost_corrected"]
    for column, words in UNKNOWN.items():
        yield f"Unknown: calls {words}, not in these sums", total[column]
    if by == "tag":
        yield "Tags", "A call with several tags is in the row of each: the rows do not add up to the total."


@bp.get("/spend.csv")
@bp.get("/spend.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The report of the same query string as a file."""
    by, query = chosen_by(), read_query(request.args)
    grain = request.args.get("grain") or "day"
    groups = [grain, "project", "key"] if by == "key" else [grain, by]
    with auth.person() as tx:
        rows = tx.rows("usage_with_total", *Scope(query, {}, {}).words[:2], groups, Jsonb(query.filters))
    total = rows.pop() if rows else None
    if total and grain != "day":
        rows.append(total | {grain: "total"})
    columns = [*groups, *IDS.get(by, ()), *SUMS, *COUNTS]
    return export.answer(f"spend {period_of(query)}", columns, rows, facts(by))
