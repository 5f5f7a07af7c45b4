"""OpenAI's books beside the ledger: months and their days, a day line by line, and what was spent past SpendAI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from webapp import auth, db
from webapp.auth import login_required
from webapp.books import compared, fetching
from webapp.books.close import read_month
from webapp.errors import ApiError
from webapp.filters import UTC_ZONE
from webapp.pages import export, spend_charts
from webapp.pages.common import found
from webapp.pages.reasons import REASONS, led_to
from webapp.pages.wrong import no_such
from webapp.periods import months_later
from webapp.written import many

bp = Blueprint("books", __name__)
MONTHS = 13
CHART_DAYS = 90
# Columns of the CSV files.
SUMS = ("openai", "ledger", "difference", "explained", "unexplained", "unexplained_gross")
DAY_COLUMNS = ("day", *SUMS, "whole", "fetched_at", "compared_at", "restatements")
PART_COLUMNS = [
    "line",
    "reason",
    "explained",
    "amount",
    "quantity",
    "openai",
    "openai_quantity",
    "ledger",
    "ledger_quantity",
    "model",
    "openai_key_id",
    "openai_key",
    "openai_project_id",
    "openai_project",
    "detail",
]
DARK_COLUMNS = [
    "reason",
    "openai_key_id",
    "openai_key",
    "openai_key_ending",
    "owner_kind",
    "owner",
    "openai_project_id",
    "openai_project",
    "surface",
    "last_used_at",
    "days",
    "amount",
    "requests",
]
NAMED = """
    select l.reason, r.explained, r.says, count(distinct l.day) as days, sum(l.amount) as amount,
        min(l.day) as first_day
    from public.reconciliation_lines l join public.part_reasons r using (reason)
    where l.day >= %s and l.day < %s and l.reason <> 'agrees' group by r.n, l.reason, r.explained, r.says order by r.n
"""
# Whether there is anything to show, and if not, what is missing.
STATE = """
    select exists (select from public.openai_days) as fetched, (select max(day) from public.openai_days) as newest,
        (select max(at) from public.openai_fetches where error is null) as at,
        exists (select from public.key_links where ended_at is null) as linked
"""


def state_of(tx: db.Transaction) -> dict[str, Any]:
    """Whether books, an admin key and links are there; admin_key: None where none is stored."""
    return tx.query(STATE)[0] | {"admin_key": tx.call("admin_key_show")}


def month_of(args: Mapping[str, str], newest: date | None) -> tuple[date, date]:
    """First day of ``month`` (2026-10) and of the month after; by default the newest one with books. ApiError 400."""
    word = args.get("month") or f"{newest or datetime.now(UTC).date():%Y-%m}"
    first = read_month(word)
    if first is None:
        raise no_such("month", word)
    return first, months_later(first, 1)


@bp.get("/books")
@login_required
def index() -> str:
    """The months, and one of them: its sums, its days, its named parts."""
    with auth.person() as tx:
        state = state_of(tx)
        since, until = month_of(request.args, state["newest"])
        compared.compare_months(tx, MONTHS)
        days, totals = compared.days(tx, since, until)
        months, parts = tx.rows("books_months", MONTHS), tx.query(NAMED, since, until)
    words = {"months": months, "parts": parts, "reasons": REASONS, "state": state, "since": since, "until": until}
    return render_template("books.html", days=days[::-1], totals=totals, **words)


@bp.get("/books.csv")
@bp.get("/books.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The days of a month as a file."""
    with auth.person() as tx:
        since, until = month_of(request.args, state_of(tx)["newest"])
        days, _ = compared.days(tx, since, until)
    return export.answer(f"openai-books {since:%Y-%m}", DAY_COLUMNS, days, zone=UTC_ZONE)


@bp.get("/books/<string(length=10):day>")  # so that the addresses of forms, /books/fetch, are no days
@login_required
def show(day: str) -> str:
    """A day: every line with both sides and its named parts, OpenAI's lines as they came, and every fetch of it."""
    with auth.person() as tx:
        books = found(compared.one_day(tx, day), "day in OpenAI's books")
        bill, models = tx.rows("books_day_lines", books["day"]), tx.rows("books_day_models", books["day"])
        trail = tx.rows("books_restatements", books["day"])
    lines = _lines(books["parts"], bill, models, books["day"])
    around = {"before": books["day"] - timedelta(days=1), "after": books["day"] + timedelta(days=1)}
    return render_template("books_day.html", books=books, lines=lines, bill=bill, trail=trail, **around)


def _lines(
    parts: list[dict[str, Any]], bill: list[dict[str, Any]], models: list[dict[str, Any]], day: date
) -> list[dict[str, Any]]:
    """Parts of one line together, as they stand; each with its words and links to what is behind it."""
    lines: dict[Any, dict[str, Any]] = {}
    for part in parts:
        apart = part["reason"] in ("outside_key", "surface") and (part["openai_key_id"], part["openai_project_id"])
        line = lines.setdefault((part["line"], apart), {"line": part["line"], "parts": [], "apart": bool(apart)})
        if part["openai"] is not None:
            line |= {name: part[name] for name in part if name not in ("line", "reason", "amount", "quantity")}
        line["parts"].append(part | {"words": REASONS[part["reason"]], "links": led_to(part, bill, models, day)})
    return list(lines.values())


@bp.get("/books/<day>.csv")
@bp.get("/books/<day>.xlsx", endpoint="day_workbook")
@login_required
def day_table(day: str) -> Response:
    """The named parts of a day as a file."""
    with auth.person() as tx:
        books = found(compared.one_day(tx, day), "day in OpenAI's books")
    return export.answer(f"openai-books {books['day']}", PART_COLUMNS, books["parts"], zone=UTC_ZONE)


@bp.get("/books/dark-spend")
@login_required
def dark_spend() -> str:
    """What was spent at OpenAI past SpendAI in a month, and the share that went through SpendAI over time."""
    with auth.person() as tx:
        state = state_of(tx)
        since, until = month_of(request.args, state["newest"])
        compared.compare_months(tx, MONTHS)
        rows, months = tx.rows("dark_keys", since, until), tx.rows("books_months", MONTHS)
        shares = tx.rows("books_share", until - timedelta(days=CHART_DAYS), until)
    month = next((month for month in months if month["month"] == since), None)
    words = {"chart": spend_charts.through(shares), "months": months, "state": state, "since": since}
    return render_template("books_dark.html", rows=rows, month=month, **words)


@bp.get("/books/dark-spend.csv")
@bp.get("/books/dark-spend.xlsx", endpoint="dark_workbook")
@login_required
def dark_table() -> Response:
    """What was spent past SpendAI in a month as a file."""
    with auth.person() as tx:
        since, until = month_of(request.args, state_of(tx)["newest"])
        compared.compare(tx, since, until)
        rows = tx.rows("dark_keys", since, until)
    return export.answer(f"dark-spend {since:%Y-%m}", DARK_COLUMNS, rows, zone=UTC_ZONE)


@bp.post("/books/fetch")
@login_required
def fetch() -> Response:
    """Fetch OpenAI's books now; what became of it is told on the page."""
    try:
        done = fetching.fetch_own(current_app.config["SPENDAI"], auth.person)
    except ApiError as error:
        if error.status == 403:
            raise
        flash(f"Nothing was fetched: {error.message}.", "bad")
        return redirect(url_for(".index"), 303)
    if done.error:
        flash(f"OpenAI's books could not be fetched, the days stay as they were: {done.error}", "bad")
    else:
        flash(f"Fetched {many(done.days, 'day')} of OpenAI's books.", "good")
    return redirect(url_for(".index"), 303)
