"""WebSocket sessions: the list, one session with its calls, and the export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from psycopg.types.json import Jsonb

from webapp import auth, cursors, db, filters
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.common import found
from webapp.pages.picks import STATUSES, Pick, narrowed, picks, read_names
from webapp.pages.wrong import read_cursor

bp = Blueprint("websockets", __name__)
PAGE = 50
CALLS = 200  # of one session are shown, the newest
COLUMNS = (
    "id",
    "started_at",
    "ended_at",
    "state",
    "project",
    "key",
    "key_prefix",
    "endpoint",
    "model_requested",
    "model",
    "calls",
    "unpriced_calls",
    "cost",
    "close_code",
    "closed_by",
    "upstream",
    "upstream_session_id",
    "provider_key_id",
    "tags",
)
STATES = {
    "open": "open",
    "ended": "ended",
    "lost": "lost: the gateway was killed before it could note the end",
}
CLOSERS = {"client": "the client", "openai": "OpenAI", "spendai": "SpendAI"}
# WebSocket close code → its meaning in words.
CODES = {
    1000: "normal end",
    1001: "going away",
    1002: "protocol error",
    1003: "kind of data not accepted",
    1005: "no close code given",
    1006: "the connection broke",
    1007: "text that is not UTF-8",
    1008: "refused",
    1009: "message too large",
    1011: "internal error",
    1012: "restart, connect again",
    1013: "busy, try again later",
}


def code_words(code: int | None) -> str:
    """The meaning of a session's close_code, which below 1000 is the HTTP status of an upgrade that was refused."""
    if code is None:
        return ""
    return f"refused with HTTP {code}" if code < 1000 else CODES.get(code, f"close code {code}")


def ending(session: dict[str, Any]) -> str:
    """How a session ended, in words: "normal end, by the client"; empty while it is open."""
    if session["state"] == "lost":
        return "not known"
    words = code_words(session["close_code"])
    return ", ".join(part for part in (words, session["closed_by"] and f"by {CLOSERS[session['closed_by']]}") if part)


def _picks(tx: db.Transaction, chosen: dict[str, list[str]]) -> list[Pick]:
    """The filters of the list as its form shows them."""
    now = datetime.now(UTC)
    groups, known = read_names(tx, filters.Query(now - timedelta(days=30), now, filters=chosen))
    groups["state"] = [("", [(state, state.capitalize()) for state in STATES])]
    return list(picks(chosen, groups, known, filters.SESSION_FILTERS, may_exclude=False).values())


@bp.get("/sessions")
@login_required
def index() -> str:
    """A page of sessions."""
    chosen, cursor = filters.given(request.args, filters.SESSION_FILTERS), request.args.get("cursor")
    behind = read_cursor(cursors.moment, UUID)
    with auth.person() as tx:
        rows = tx.rows("websocket_sessions_page", Jsonb(chosen), *behind, PAGE + 1)
        shown = _picks(tx, chosen)
    following = cursors.write(rows[PAGE - 1]["started_at"], rows[PAGE - 1]["id"]) if len(rows) > PAGE else None
    links = {
        "more": following and url_for(".index", **chosen, cursor=following),
        "newest": cursor and url_for(".index", **chosen),
        "csv": url_for(".table", **chosen),
    }
    return render_template("sessions.html", rows=rows[:PAGE], chosen=chosen, picks=shown, ending=ending, **links)


@bp.get("/sessions/<uuid:session_id>")
@login_required
def show(session_id: UUID) -> str:
    """One session and its newest calls."""
    with auth.person() as tx:
        session = found(tx.call("websocket_session_show", session_id), "WebSocket session")
        calls = tx.rows("websocket_session_calls", session_id, CALLS)
    words = {"statuses": STATUSES, "states": STATES, "ending": ending}
    return render_template("session.html", session=session, calls=calls, **words)


@bp.get("/sessions.csv")
@bp.get("/sessions.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """All sessions that fit the filters as a file."""
    chosen = filters.given(request.args, filters.SESSION_FILTERS)
    with auth.person() as tx:
        about = list(narrowed("", _picks(tx, chosen)))

    def fetch(tx: db.Transaction, last: export.Row | None, count: int) -> list[export.Row]:
        return tx.rows(
            "websocket_sessions_page", Jsonb(chosen), last and last["started_at"], last and last["id"], count
        )

    return export.answer("sessions", COLUMNS, export.paged(fetch), about)
