"""A month of OpenAI's books: how far its closing is, the form that closes or reopens it, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db, written
from webapp.auth import login_required
from webapp.books import compared, focus
from webapp.books.close import BREAKDOWNS, COLUMNS, read_month, table_rows
from webapp.errors import ApiError
from webapp.filters import UTC_ZONE
from webapp.pages import export
from webapp.pages.common import attempt
from webapp.pages.measures import unknown_facts
from webapp.pages.reasons import REASONS
from webapp.pages.sheets import XLSX, Sheet, write
from webapp.periods import months_later

bp = Blueprint("books_close", __name__)
SUMS = ("openai", "ledger", "unexplained")
LEDGER_DECIMALS = 12
LACKING = (
    "OpenAI's bill, ledger and unexplained are sums of the days that OpenAI's books have. "
    "Spend by project, key, model, tag and person is of the whole month."
)


def _month(text: str) -> date:
    """First day of the month in an address; ApiError 404 for what is none."""
    month = read_month(text)
    if month is None:
        raise ApiError(404, "not_found", "no such month")
    return month


def _load(tx: db.Transaction, month: date) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """State and report of a month, the days that changed compared again."""
    compared.compare(tx, month, months_later(month, 1))
    return tx.rows("month_state", month)[0], tx.query("select app.month_report(%s) as report", month)[0]["report"]


@bp.get("/books/months/<month>")
@login_required
def show(month: str, error: ApiError | None = None) -> str:
    """The month with its sums, its form, its breakdowns and its files."""
    first = _month(month)
    with auth.person() as tx:
        state, report = _load(tx, first)
        reasons = tx.query("select reason, explained, says from public.part_reasons order by n")
        closes = tx.query("select named from public.month_closes where id = %s", state["close_id"])
    tables = {by: table_rows(report, by) for by in BREAKDOWNS}
    now, frozen = state["named"], closes[0]["named"] if closes else {}
    parts = [
        row | {"amount": _dollars(now, row["reason"]), "frozen": _dollars(frozen, row["reason"])}
        for row in reasons
        if row["reason"] in now or row["reason"] in frozen
    ]
    return render_template("books_month.html", month=month, state=state, tables=tables, titles=BREAKDOWNS, parts=parts,
                           reasons=REASONS, error=error, decimals=_decimals(state, parts), typed=request.form,
                           total=table_rows(report, "total"),
                           lacking=LACKING if _lacks(state, report) else None)  # fmt: skip


def _dollars(named: dict[str, str], reason: str) -> Decimal | None:
    """The part of the difference that has this reason; None: there is none."""
    return Decimal(named[reason]) if reason in named else None


def _lacks(state: dict[str, Any], report: dict[str, Any]) -> bool:
    """Whether the ledger's sum may lack calls of the breakdowns: a month is open while OpenAI's books lack a day."""
    return state["state"] == "open" and any(row["calls"] for row in report["total"])


def _decimals(state: dict[str, Any], parts: list[dict[str, Any]]) -> int:
    """The decimals to which the amounts in the table of sums are filled up: the most that one has, but no more than the
    ledger's costs have, because a single long one would make every row too wide for a phone."""
    amounts = [state[name] for name in SUMS] + [state[f"closed_{name}"] for name in SUMS] + [state["invoice"]]
    return min(LEDGER_DECIMALS, written.places(amounts + [row[name] for row in parts for name in ("amount", "frozen")]))


@bp.post("/books/months/<month>/close")
@login_required
def close(month: str) -> Response | tuple[str, int]:
    """Close the month."""
    first = _month(month)

    def act(tx: db.Transaction) -> Any:
        confirm = request.form.get("confirm") == "yes"
        compared.compare(tx, first, months_later(first, 1))  # month_close would compare all its days in one statement
        return tx.call("month_close", first, request.form.get("note", ""), _invoice(), confirm)

    _, error = attempt(act)
    return _done(month, error, f"{written.month(first)} is closed.")


@bp.post("/books/months/<month>/reopen")
@login_required
def reopen(month: str) -> Response | tuple[str, int]:
    """Reopen the closed month."""
    first = _month(month)
    _, error = attempt(lambda tx: tx.call("month_reopen", first, request.form.get("note", "")))
    return _done(month, error, f"{written.month(first)} is open again.")


def _done(month: str, error: ApiError | None, words: str) -> Response | tuple[str, int]:
    if error:
        return show(month, error), error.status
    flash(words, "good")
    return redirect(url_for(".show", month=month), 303)


def _invoice() -> Decimal | None:
    """The amount typed in; None: nothing."""
    text = request.form.get("invoice", "").strip().removeprefix("$")
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise ApiError(400, "invoice_invalid", "this is an amount such as 1234.56", "invoice") from None


@bp.get("/books/months/<month>/<by>.csv")
@bp.get("/books/months/<month>/<by>.xlsx", endpoint="table_workbook")
@login_required
def table(month: str, by: str) -> Response:
    """One breakdown of the month as a file."""
    first = _month(month)
    if by not in BREAKDOWNS:
        raise ApiError(404, "not_found", "no such table")
    with auth.person() as tx:
        state, report = _load(tx, first)
    facts = about(state, report)
    return export.answer(f"openai-books-{by} {month}", COLUMNS, table_rows(report, by), facts, UTC_ZONE)


@bp.get("/books/months/<month>.xlsx")
@login_required
def workbook(month: str) -> Response:
    """All breakdowns of the month as an Excel file, with a sheet that says what they are."""
    first = _month(month)
    with auth.person() as tx:
        state, report = _load(tx, first)

    def all_of_them() -> Iterator[Sheet]:
        yield export.about_sheet(about(state, report), UTC_ZONE)
        for by, title in BREAKDOWNS.items():
            sheet = export.sheet(title, COLUMNS, table_rows(report, by))
            yield sheet._replace(header=[title, *sheet.header[1:]])

    name = export.file_name(f"openai-books {month}")
    return export.download(f"{name}.xlsx", XLSX, write(all_of_them(), UTC_ZONE))


def about(state: dict[str, Any], report: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the sheet About says of the month: (name, value)."""
    closed = state["state"] == "closed"
    yield from [("Month", written.month(state["month"])), ("State", state["state"])]
    for name in SUMS:
        title = {"openai": "OpenAI's bill", "ledger": "Ledger", "unexplained": "Unexplained difference"}[name]
        yield f"{title}, US dollars", state[f"closed_{name}" if closed else name]
        if closed:
            yield f"{title}, change since the close", state[f"restated_{name}"]
    if _lacks(state, report):
        yield "Days", LACKING
    yield from [("Invoice as typed in, US dollars", state["invoice"]), ("Closed at (UTC)", state["closed_at"])]
    who = state["closed_by"] or ("the operator" if closed else None)
    yield from [("Closed by", who), ("Note", state["note"]), ("SHA-256", state["sha256"])]
    for row in table_rows(report, "total"):
        yield "Calls", row["calls"]
        yield from unknown_facts(row)
    yield (
        "Tags",
        "A call with several tags is in several rows, a call without tags in none: rows do not add up to the total.",
    )
    yield (
        "Cost",
        "US dollars of the month's calls with all their corrections. Corrections is the part that is corrections.",
    )


@bp.get("/books/months/<month>/focus.<kind>")
@login_required
def focus_file(month: str, kind: str) -> Response:
    """The charges of the month in FOCUS 1.2; kind: csv or parquet."""
    first = _month(month)
    if kind not in ("csv", "parquet"):
        raise ApiError(404, "not_found", "no such file")
    me = auth.me()
    with auth.person() as tx:
        compared.compare(tx, first, months_later(first, 1))
        charges = tx.rows("focus_month", first)
    org = UUID(str(me["org_id"]))
    rows = [focus.row_of(charge, first, org, me["organization"], export.sandbox()) for charge in charges]
    name = export.file_name(f"focus {month}")
    if kind == "csv":
        return export.download(f"{name}.csv", "text/csv", focus.csv_lines(rows, focus.COLUMNS))
    return export.download(f"{name}.parquet", "application/vnd.apache.parquet", [focus.parquet(rows)])
