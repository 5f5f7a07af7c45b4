"""WebSocket sessions: the list, one session with its calls, and the export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from psycopg.types.json import Jsonb

from webapp import auth, cursors, filters
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.common import STATUSES, found

bp = Blueprint("websockets", __name__)
PAGE, EXPORT_PAGE = 50, 1000
CHOICES = 200  # projects, and keys, that can be chosen
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
    """The meaning of a session's close_code, which below 1000 is the HTTP status of an upgrade that OpenAI refused."""
    if code is None:
        return ""
    return f"OpenAI refused it with HTTP {code}" if code < 1000 else CODES.get(code, f"close code {code}")


def ending(session: dict[str, Any]) -> str:
    """How a session ended, in words: "normal end, by the client"; empty while it is open."""
    if session["state"] == "lost":
        return "not known"
    words = code_words(session["close_code"])
    return ", ".join(part for part in (words, session["closed_by"] and f"by {CLOSERS[session['closed_by']]}") if part)


@bp.get("/sessions")
@login_required
def index() -> str:
    """A page of sessions."""
    chosen, cursor = filters.of_sessions(request.args), request.args.get("cursor")
    behind = cursors.read(cursor, cursors.moment, UUID)
    with auth.person() as tx:
        rows = tx.rows("websocket_sessions_page", Jsonb(chosen), *behind, PAGE + 1)
        now = datetime.now(UTC)
        offered = tx.rows("filter_choices", now - timedelta(days=30), now, Jsonb(chosen), CHOICES)
    following = cursors.write(rows[PAGE - 1]["started_at"], rows[PAGE - 1]["id"]) if len(rows) > PAGE else None
    choices = {
        "project": [(row["value"], row["name"]) for row in offered if row["filter"] == "project"],
        "state": [(state, state.capitalize()) for state in STATES],
    }
    links = {
        "more": following and url_for(".index", **chosen, cursor=following),
        "newest": cursor and url_for(".index", **chosen),
        "csv": url_for(".table", **chosen),
    }
    keys = [row for row in offered if row["filter"] == "key"]
    return render_template(
        "sessions.html", rows=rows[:PAGE], chosen=chosen, choices=choices, keys=keys, ending=ending, **links
    )


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
@login_required
def table() -> Response:
    """All sessions that fit the filters as CSV. Each thousand is a transaction, as in the export of calls."""
    chosen = Jsonb(filters.of_sessions(request.args))

    def rows() -> Iterator[dict[str, Any]]:
        before: tuple[Any, Any] = (None, None)
        while True:
            with auth.person() as tx:
                page = tx.rows("websocket_sessions_page", chosen, *before, EXPORT_PAGE)
            yield from page
            if len(page) < EXPORT_PAGE:
                return
            before = (page[-1]["started_at"], page[-1]["id"])

    return export.answer("sessions", COLUMNS, rows())
