"""Calls: the list, finding one by its id, one call with its cost line by line, and closing a call by hand."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth, cursors, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.filters import Query
from webapp.pages import calls_columns
from webapp.pages.call_words import price_words, spend_links
from webapp.pages.common import attempt, found, organization_zone, read_scope
from webapp.pages.picks import STATUSES
from webapp.pages.scope import asked
from webapp.pages.sorting import Sorting, read_sorting
from webapp.pages.wrong import no_such, read_cursor
from webapp.written import places

bp = Blueprint("calls", __name__)
PAGE = 50
# Columns to sort by. started_at, newest first, uses an index; the others read every call of the period.
ORDERS = dict.fromkeys(("started_at", "cost", "tokens_in", "tokens_cached", "tokens_out"), True)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORTEST = 8  # characters of an id that are enough to look for it
MOST = 300_000  # calls are read at most for a sum that nobody asked for: about 0.2 seconds
FOUND = 20  # calls of one id are listed at most


def _sorted_page(tx: db.Transaction, words: tuple[Any, ...], sorting: Sorting) -> tuple[list, str | None]:
    """A page of calls, and the cursor of the next page; None on the last page."""
    if sorting.word == "started_at":
        rows = tx.rows("calls_page", *words, *read_cursor(cursors.moment, UUID), PAGE + 1)
    else:
        after = read_cursor(cursors.amount, UUID)
        rows = tx.rows("calls_ranked", *words, sorting.word, *after, PAGE + 1)
    if len(rows) <= PAGE:
        return rows, None
    last = rows[PAGE - 1]
    value = last["started_at"] if sorting.word == "started_at" else rank(last, sorting)
    return rows[:PAGE], cursors.write(value, last["id"])


def rank(row: dict[str, Any], sorting: Sorting) -> Any:
    """The value by which app.calls_ranked sorts a call; it compares numbers only: of a moment its microseconds."""
    value = row[sorting.column]
    return (value - EPOCH) // timedelta(microseconds=1) if sorting.column == "started_at" else value


def dropped_before(tx: db.Transaction, query: Query) -> date | None:
    """The day before which calls of the period were dropped; None: all are there."""
    words = ["model", "end_user"]  # a question that, as a list, calls alone answer
    day = tx.call("sums_lack", query.since, query.until, words, Jsonb({}))["sums_lack"]
    return day if day and query.since < datetime.combine(day, time(), UTC) else None


def read_session() -> dict[str, list[str]]:
    """The filter by WebSocket sessions of this request, which only calls have. ApiError 400 for what is no id."""
    words = [word for word in request.args.getlist("session") if word]
    try:
        return {"session": [str(UUID(word)) for word in words]} if words else {}
    except ValueError:
        raise no_such("session", words[0]) from None


@bp.get("/calls")
@login_required
def index() -> Response:
    """A page of calls, below their sums."""
    cursor, columns, session = request.args.get("cursor"), calls_columns.read(), read_session()
    with auth.person() as tx:
        scope = read_scope(tx, {"columns": columns.word} | session)
        words = scope.query.since, scope.query.until, Jsonb(scope.query.filters | session)
        sorting = read_sorting(ORDERS, lambda word: scope.link(sort=word))
        rows, following = _sorted_page(tx, words, sorting)
        most = None if request.args.get("sum") else MOST
        sums = tx.call("calls_sum", *words, most) if rows else None
        last = None if rows else tx.call("setup_state")["last_call_at"]
        dropped = dropped_before(tx, scope.query)
    answer = render_template(
        "calls.html",
        scope=scope,
        session=session.get("session"),
        sorting=sorting,
        columns=columns,
        all_columns=calls_columns.COLUMNS,
        rows=rows,
        sums=sums,
        dropped=dropped,
        only=cache(lambda name, value: scope.link(**{name: value})),
        back=asked(),
        statuses=STATUSES,
        paged=bool(cursor),
        more=scope.link(cursor=following) if following else None,
        last_call=last,
    )
    return columns.keep(make_response(answer))


@bp.get("/calls/find")
@login_required
def find() -> Response | str:
    """The call with an id, or those of them that have it; the page says why there is none.

    The other parameters are those of the list of calls from which a person came, for the way back.
    """
    text = request.args.get("id", "").replace("\0", "").strip()
    rows = []
    if len(text) >= SHORTEST:
        with auth.person() as tx:
            rows = tx.rows("calls_by_id", text, FOUND + 1)
    if len(rows) == 1:
        return redirect(url_for(".show", call_id=rows[0]["id"]) + asked("id"), 303)
    error = None
    if 0 < len(text) < SHORTEST:
        error = ApiError(400, "id_too_short", f"type at least the first {SHORTEST} characters of the id", "id")
    elif text and not rows:
        error = ApiError(404, "not_found", "no such call", "id", hint="An id of OpenAI's must be complete")
    words = {name: request.args.getlist(name) for name in request.args if name != "id"}
    return render_template(
        "calls_found.html", text=text, rows=rows[:FOUND], more=len(rows) > FOUND, error=error, list=words
    )


@bp.get("/calls/<uuid:call_id>")
@login_required
def show(call_id: UUID, error: ApiError | None = None, typed: dict[str, str] | None = None) -> str:
    """One call and its cost, line by line; error, typed: of a refused form that was to close it."""
    with auth.person() as tx:
        call = found(tx.call("call_show", call_id), "call")
        lines = tx.rows("call_lines", call_id)
        problems = tx.query("select unnest(app.usage_problems(%s)) as problem", Jsonb(call["usage"]))
        corrections, fills = tx.rows("call_corrections", call_id), tx.rows("call_fills", call_id)
        zone = organization_zone(tx)
    return render_template(
        "call.html",
        call=call,
        lines=lines,
        price_words=price_words(call, lines),
        places=places,
        spend=spend_links(call, zone),
        zone=zone,
        back=asked(),
        problems=[row["problem"] for row in problems],
        corrections=corrections,
        fills=fills,
        statuses=STATUSES,
        error=error,
        typed=typed or {"cost": "", "reason": ""},
    )


@bp.post("/calls/<uuid:call_id>/close")
@login_required
def close(call_id: UUID) -> Response | tuple[str, int]:
    """Close a call that is in doubt, or whose cost is not known, with the cost that OpenAI's own records show."""
    typed = {name: request.form.get(name, "").strip() for name in ("cost", "reason")}
    _, error = attempt(lambda tx: tx.call("call_close", call_id, _amount(typed["cost"]), typed["reason"]))
    if error:
        return show(call_id, error, typed), error.status
    flash("Call closed.", "good")
    return redirect(url_for(".show", call_id=call_id) + asked(), 303)


def _amount(text: str) -> Decimal | None:
    """Dollars typed by a person; None for nothing typed. Raises ApiError 400."""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,12})?", text, re.ASCII):
        raise ApiError(400, "invalid_value", "dollars are written 0.0125", "cost")
    return Decimal(text)
