"""Spend of a period: totals, charts and breakdown; before the first call, the steps to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, current_app, render_template, request

from webapp import auth, db
from webapp.auth import login_required
from webapp.pages import breakdown, export
from webapp.pages.clients import filled
from webapp.pages.common import Scope, read_query, read_scope
from webapp.pages.report import kept, report

bp = Blueprint("spend", __name__)


def setup(tx: db.Transaction) -> dict[str, Any]:
    """Template variables of the first steps: which are done, and how clients are pointed at the proxy."""
    return {
        "setup": tx.call("setup_state"),
        "form_id": str(uuid4()),
        "clients": filled(current_app.config["SPENDAI"].public_url + "/api/v1/proxy"),
    }


@bp.get("/")
@login_required
def index() -> str:
    """Spend of the organization."""
    with auth.person() as tx:
        start = setup(tx)
        if start["setup"]["last_call_at"] is None:
            return render_template("start.html", **start)
        shown = report(tx, read_scope(tx, kept()), "project")
    return render_template(
        "spend.html", r=shown, last_call=start["setup"]["last_call_at"], one_day=timedelta(days=1), **shown
    )


@bp.get("/spend.csv")
@login_required
def table() -> Response:
    """The report of the same query string per day, as CSV."""
    by, query = breakdown.chosen_by(), read_query(request.args)
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
