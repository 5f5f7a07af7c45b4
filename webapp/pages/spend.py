"""Spend: how much, where, since when; until there is a first call, the way to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, current_app, render_template, request

from webapp import auth, charts, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.common import Scope, read_query, read_scope

bp = Blueprint("spend", __name__)
BY = ("project", "model", "key")
SERIES = 6
TOP = 5


def chosen_by(default: str = "project") -> str:
    """The word the page is broken down by. Raises ApiError 400."""
    by = request.args.get("by") or default
    if by not in BY:
        raise ApiError(400, "invalid_by", f"'by' is one of {', '.join(BY)}", "by")
    return by


def report(tx: db.Transaction, scope: Scope, by: str) -> dict[str, Any]:
    """Everything a spend report shows, for its template."""
    since, until, filters = scope.words
    totals = tx.call("spend_totals", since, until, filters)
    everything = bool(request.args.get("all"))
    rows = tx.rows("spend_breakdown", since, until, by, filters, None if everything else SERIES)
    bars = tx.rows("spend_bars", since, until, by, filters, [row["id"] for row in rows if row["series"]])
    side = "model" if by == "key" else "key"
    names = {row["series"]: title(row, by) for row in reversed(rows)}
    if everything and 0 in names:
        names[0] = "Other"
    return {
        "scope": scope,
        "by": by,
        "totals": totals,
        "rows": rows,
        "title_of": title,
        "everything": everything,
        "weekly": any(bar["days"] == 7 for bar in bars),
        "side": side,
        "top": [row for row in tx.rows("spend_breakdown", since, until, side, filters, TOP) if row["id"] is not None],
        "spend_figure": charts.spend(bars, names),
        "tokens_figure": charts.tokens(bars),
    }


def title(row: dict[str, Any], by: str) -> str:
    """What a row of the breakdown is called."""
    if row["id"] is None:
        return f"Other ({row['members']})"
    return row["name"] or f"no {by}"


def setup(tx: db.Transaction) -> dict[str, Any]:
    """The first steps: which are done, and where the proxy is."""
    return {
        "setup": tx.call("setup_state"),
        "form_id": str(uuid4()),
        "base_url": current_app.config["SPENDAI"].public_url + "/api/v1/proxy",
    }


@bp.get("/")
@login_required
def index() -> str:
    """Spend of the organization."""
    by = chosen_by()
    with auth.person() as tx:
        start = setup(tx)
        if start["setup"]["last_call_at"] is None:
            return render_template("start.html", **start)
        shown = report(tx, read_scope(tx, {"by": "" if by == "project" else by}), by)
    return render_template(
        "spend.html", r=shown, last_call=start["setup"]["last_call_at"], one_day=timedelta(days=1), **shown
    )


@bp.get("/spend.csv")
@login_required
def table() -> Response:
    """The report per day, as the same query string shows it."""
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
