"""Calls: every one, newest first, and how the cost of one came about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from psycopg.types.json import Jsonb

from webapp import auth, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.filters import Query
from webapp.pages import export
from webapp.pages.common import found, read_query, read_scope

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
STATUSES = {
    "priced": "priced",
    "free": "free",
    "error": "error, not billed",
    "tier_fallback": "priced at the standard tier",
    "unpriced_model": "no price for this model",
    "unpriced_dimension": "no price for a part of it",
    "no_usage": "no usage reported",
    "pending_object": "result not seen yet",
    "in_doubt": "in doubt",
}


def _cursor(row: dict[str, Any]) -> str:
    return f"{row['started_at'].isoformat()}~{row['id']}"


def _after(text: str | None) -> tuple[datetime | None, UUID | None]:
    """Where a page begins: behind this moment and id."""
    if not text:
        return None, None
    moment, _, call_id = text.replace(" ", "+").partition("~")
    try:
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("without a time zone")
        return at, UUID(call_id)
    except ValueError:
        raise ApiError(400, "invalid_cursor", "'cursor' is not one of ours", "cursor") from None


def _page(
    tx: db.Transaction, query: Query, cursor: tuple[datetime | None, UUID | None], limit: int
) -> list[dict[str, Any]]:
    return tx.rows("calls_page", query.since, query.until, Jsonb(query.filters), *cursor, limit)


@bp.get("/calls")
@login_required
def index() -> str:
    """A page of calls."""
    cursor = _after(request.args.get("cursor"))
    with auth.person() as tx:
        scope = read_scope(tx)
        scope.names["cost_status"] = STATUSES
        rows = _page(tx, scope.query, cursor, PAGE + 1)
    older = scope.link(cursor=_cursor(rows[PAGE - 1])) if len(rows) > PAGE else None
    return render_template(
        "calls.html", scope=scope, rows=rows[:PAGE], older=older, paged=cursor[0] is not None, statuses=STATUSES
    )


@bp.get("/calls/<uuid:call_id>")
@login_required
def show(call_id: UUID) -> str:
    """One call and its cost, line by line."""
    with auth.person() as tx:
        call = found(tx.call("call_show", call_id), "call")
        lines = tx.rows("call_lines", call_id)
        corrections = tx.query(CORRECTIONS, call_id, call["started_at"])
        fills = tx.query(FILLS, call_id, call["started_at"])
    return render_template("call.html", call=call, lines=lines, corrections=corrections, fills=fills, statuses=STATUSES)


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
