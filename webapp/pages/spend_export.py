"""Files of Spend: the sums of its period and filters, one row for each day and project, model, key, end user or tag."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from webapp import auth
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.breakdown import chosen_by
from webapp.pages.common import Scope, read_query
from webapp.pages.spend import bp


@bp.get("/spend.csv")
@login_required
def table() -> Response:
    """The report of the same query string per day, as CSV."""
    by, query = chosen_by(), read_query(request.args)
    words = ["day", "project", "key"] if by == "key" else ["day", by]
    scope = Scope(query, {}, {})
    since, until, filters = scope.words
    with auth.person() as tx:
        rows = tx.rows("usage", since, until, words, filters)
    ids = {"project": ["project_id"], "key": ["project_id", "key_id", "key_prefix"]}.get(by, [])
    sums = ["calls", "tokens_in", "tokens_cached", "tokens_out", "cost"]
    counts = ["unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls", "adjustments", "cost_corrected"]
    name = f"spend-{query.since.date()}-{(query.until - timedelta(microseconds=1)).date()}"
    return export.answer(name, words + ids + sums + counts, rows)
