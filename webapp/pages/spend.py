"""Spend of a period: totals, charts and breakdown; before the first call, the steps to it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, current_app, render_template, request

from webapp import auth, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import charts, export
from webapp.pages.clients import filled
from webapp.pages.common import Scope, read_query, read_scope
from webapp.pages.sorting import read_sorting

bp = Blueprint("spend", __name__)
BY = {"project": "Project", "model": "Model", "key": "Key", "end_user": "End user", "tag": "Tag"}
SERIES = 6  # rows of the breakdown with a colour of their own; the others are added up as “Other”
TOP = 5  # rows of the second, shorter breakdown
COLUMNS = {"cost": True, "name": False, "calls": True, "tokens_in": True, "tokens_cached": True, "tokens_out": True}
# Amounts and ratios in the JSON of app.spend_report; psycopg reads whole ones as int.
DECIMALS = ("cost", "adjustments", "cost_corrected", "cost_per_1000", "share", "cached_share", "error_share",
            "error_share_before", "cost_before", "cost_per_1000_before", "change", "change_calls", "change_tokens",
            "change_price", "calls_change", "tokens_change", "cost_change", "cost_per_1000_change")  # fmt: skip


def chosen_by(default: str = "project") -> str:
    """What the page is broken down by, a key of BY. Raises ApiError 400."""
    by = request.args.get("by") or default
    if by not in BY:
        raise ApiError(400, "invalid_by", f"'by' is one of {', '.join(BY)}", "by")
    return by


def report(tx: db.Transaction, scope: Scope, by: str) -> dict[str, Any]:
    """Template variables of a spend report (_report.html)."""
    everything, side = bool(request.args.get("all")), "model" if by == "key" else "key"
    sorting = read_sorting(COLUMNS, lambda word: scope.link(sort=word))
    since, until, filters = scope.words
    grain = "week" if until - since > timedelta(days=92) else "day"
    period = (since, until, scope.query.before.since, scope.query.before.until, "UTC", grain)
    found = tx.call("spend_report", *period, by, None, side, filters, None if everything else SERIES)
    totals, rows, top, bars = _exact([found["totals"]])[0], *(_exact(found[part]) for part in ("rows", "side", "bars"))
    for bar in bars:
        bar["bar"] = datetime.fromisoformat(bar["bar"]).date()
        bar |= {"days": 7 if grain == "week" else 1, "partial": bar["partial"] == "now"}
    names = {row["series"]: title(row, by) for row in reversed(rows)}
    if everything and 0 in names:
        names[0] = "Other"
    if by == "tag":
        names.pop(0, None)  # tags overlap: “Other” would count calls a second time
    rest = [row for row in rows if row["id"] is None]
    return {
        "scope": scope,
        "by": by,
        "words": BY,
        "sorting": sorting,
        "totals": totals,
        "rows": sorting.sorted([row for row in rows if row["id"] is not None]) + rest,
        "title_of": title,
        "everything": everything,
        "weekly": any(bar["days"] == 7 for bar in bars),
        "side": side,
        "top": [row for row in top if row["id"] is not None][:TOP],
        "history": (history := _history(tx, bars) if not scope.query.filters else {}),
        "spend_figure": charts.spend(bars, names, history),
        "tokens_figure": charts.tokens(bars),
        "calls_figure": charts.calls(bars),
    }


def _history(tx: db.Transaction, bars: list[dict[str, Any]]) -> dict[date, Decimal]:
    """Bar → dollars of OpenAI's books from before the first call."""
    if not bars:
        return {}
    first, last = min(bars, key=lambda bar: bar["bar"]), max(bars, key=lambda bar: bar["bar"])
    until = last["bar"] + timedelta(days=last["days"])
    return {row["bar"]: row["amount"] for row in tx.rows("books_history", first["bar"], until, first["days"])}


def _exact(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of JSON with every amount and ratio as Decimal."""
    return [{k: Decimal(v) if k in DECIMALS and v is not None else v for k, v in row.items()} for row in rows]


def kept(by: str, default: str) -> dict[str, str]:
    """Query string parameters that the links of a report keep."""
    return {"by": "" if by == default else by, "sort": request.args.get("sort", "")}


def title(row: dict[str, Any], by: str) -> str:
    """The name of a row of the breakdown."""
    if row["id"] is None:
        return f"Other ({row['members']})"
    return row["name"] or f"no {BY[by].lower()}"


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
    by = chosen_by()
    with auth.person() as tx:
        start = setup(tx)
        if start["setup"]["last_call_at"] is None:
            return render_template("start.html", **start)
        shown = report(tx, read_scope(tx, kept(by, "project")), by)
    return render_template(
        "spend.html", r=shown, last_call=start["setup"]["last_call_at"], one_day=timedelta(days=1), **shown
    )


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
