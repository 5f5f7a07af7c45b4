"""Calls: every one, newest first, and how the cost of one came about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.filters import Query
from webapp.pages import export
from webapp.pages.common import (
    STATUSES,
    Scope,
    attempt,
    found,
    moment_cursor,
    read_moment_cursor,
    read_query,
    read_scope,
)
from webapp.pages.sorting import Sorting, read_sorting

bp = Blueprint("calls", __name__)
PAGE = 50
EXPORT_PAGE = 1000
COLUMNS = [
    "id",
    "started_at",
    "project",
    "key",
    "key_prefix",
    "endpoint",
    "model_requested",
    "model",
    "service_tier",
    "status_code",
    "state",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_reasoning",
    "cost",
    "cost_status",
    "latency_ms",
    "ttft_ms",
    "stream",
    "batch",
    "upstream",
    "end_user",
    "upstream_request_id",
    "adjustments",
    "cost_corrected",
]
CORRECTIONS = "select * from public.cost_adjustments where call_id = %s and call_started_at = %s order by at, id"
FILLS = "select * from public.cost_fills where call_id = %s and call_started_at = %s"
# Newest first by index; the others look at every call of the period.
ORDERS = dict.fromkeys(("started_at", "cost", "tokens_in", "tokens_cached", "tokens_out"), True)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ranked_cursor(row: dict[str, Any], column: str) -> str:
    value = (row["started_at"] - EPOCH) // timedelta(microseconds=1) if column == "started_at" else row[column]
    return f"{'' if value is None else value}~{row['id']}"


def _ranked_after(text: str | None) -> tuple[Decimal | None, UUID | None]:
    """Where a page sorted by a number begins."""
    if not text:
        return None, None
    value, _, call_id = text.partition("~")
    try:
        return Decimal(value) if value else None, UUID(call_id)
    except (ValueError, InvalidOperation):
        raise ApiError(400, "invalid_cursor", "'cursor' is not one of ours", "cursor") from None


def _page(
    tx: db.Transaction, query: Query, cursor: tuple[datetime | None, UUID | None], limit: int
) -> list[dict[str, Any]]:
    return tx.rows("calls_page", query.since, query.until, Jsonb(query.filters), *cursor, limit)


def _sorted_page(tx: db.Transaction, scope: Scope, sorting: Sorting, cursor: str | None) -> tuple[list, str | None]:
    """A page of calls and the cursor of the next one."""
    if sorting.word == "started_at":
        rows = _page(tx, scope.query, read_moment_cursor(cursor), PAGE + 1)
    else:
        rows = tx.rows("calls_ranked", *scope.words, sorting.word, *_ranked_after(cursor), PAGE + 1)
    if len(rows) <= PAGE:
        return rows, None
    last, by_time = rows[PAGE - 1], sorting.word == "started_at"
    return rows[:PAGE], moment_cursor(last, "started_at") if by_time else _ranked_cursor(last, sorting.column)


@bp.get("/calls")
@login_required
def index() -> str:
    """A page of calls."""
    cursor = request.args.get("cursor")
    with auth.person() as tx:
        scope = read_scope(tx, {"sort": request.args.get("sort", "")})
        sorting = read_sorting(ORDERS, lambda word: scope.link(sort=word))
        rows, following = _sorted_page(tx, scope, sorting, cursor)
        last = None if rows else tx.call("setup_state")["last_call_at"]
    more = scope.link(cursor=following) if following else None
    words = {"scope": scope, "sorting": sorting, "statuses": STATUSES, "paged": bool(cursor), "more": more}
    return render_template("calls.html", rows=rows, last_call=last, one_day=timedelta(days=1), **words)


@bp.get("/calls/<uuid:call_id>")
@login_required
def show(call_id: UUID, error: ApiError | None = None, typed: dict[str, str] | None = None) -> str:
    """One call and its cost, line by line; error and typed: of a try to close it."""
    with auth.person() as tx:
        call = found(tx.call("call_show", call_id), "call")
        lines = tx.rows("call_lines", call_id)
        corrections = tx.query(CORRECTIONS, call_id, call["started_at"])
        fills = tx.query(FILLS, call_id, call["started_at"])
    return render_template(
        "call.html",
        call=call,
        lines=lines,
        corrections=corrections,
        fills=fills,
        statuses=STATUSES,
        error=error,
        typed=typed or {"cost": "", "reason": ""},
    )


@bp.post("/calls/<uuid:call_id>/close")
@login_required
def close(call_id: UUID) -> Response | tuple[str, int]:
    """Close a call in doubt: with what OpenAI's own records say it cost, or without."""
    typed = {name: request.form.get(name, "").strip() for name in ("cost", "reason")}
    _, error = attempt(lambda tx: tx.call("call_close", call_id, _amount(typed["cost"]), typed["reason"]))
    if error:
        return show(call_id, error, typed), error.status
    flash("Call closed.", "good")
    return redirect(url_for(".show", call_id=call_id), 303)


def _amount(text: str) -> Decimal | None:
    """Dollars typed by a person; None for nothing typed. Raises ApiError 400."""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,12})?", text, re.ASCII):
        raise ApiError(400, "invalid_value", "dollars are written 0.0125", "cost")
    return Decimal(text)


@bp.get("/calls.csv")
@login_required
def table() -> Response:
    """All calls of the same query string; each thousand is a transaction of its own, however long the client takes."""
    query = read_query(request.args)

    def rows() -> Iterator[dict[str, Any]]:
        cursor: tuple[datetime | None, UUID | None] = (None, None)
        while True:
            with auth.person() as tx:
                found_rows = _page(tx, query, cursor, EXPORT_PAGE)
            yield from found_rows
            if len(found_rows) < EXPORT_PAGE:
                return
            cursor = (found_rows[-1]["started_at"], found_rows[-1]["id"])

    name = f"calls-{query.since.date()}-{(query.until - timedelta(microseconds=1)).date()}"
    return export.answer(name, COLUMNS, rows())
