"""/usage, /calls, /sessions, /prices and /audit: sums of a period, calls with their cost, prices, and the audit log."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, current_app, request
from psycopg.types.json import Jsonb

from webapp import auth, cursors, filters
from webapp.api.blueprint import bp
from webapp.api.inputs import as_id, fields, limit
from webapp.api.shape import listed, plain
from webapp.errors import ApiError
from webapp.filters import GRAINS
from webapp.pause import report

COUNTS = ("calls", "tokens_in", "tokens_cached", "tokens_out", "cost")
COUNTS += ("unpriced_calls", "no_usage_calls", "in_doubt_calls", "adjustments", "cost_corrected")
# Totals of a period without calls.
NOTHING = dict.fromkeys(COUNTS, 0) | dict.fromkeys(("cost", "adjustments", "cost_corrected"), Decimal(0))
GROUP_FIELDS = {"project": ("project_id", "project"), "key": ("key_id", "key"), "person": ("person_id", "person")}
# Columns left out of a call in lists; the answer for one call adds cost_lines, usage and tools.
HEAVY = ("org_id", "cost_lines", "lines", "usage", "tools")
CALL = "select c.*, c.cost_lines::text as lines from app.call_show(%s) c"
NEWEST_FIRST = (cursors.moment, UUID)
EXACT = ("quantity", "unit_price", "unit_qty", "cost", "at_least")


@bp.get("/usage")
def usage() -> Response:
    """Spend by the groups asked for. By end user and day that may be MOST_ROWS: each is written as soon as it is
    read, and the other calls of the worker run in between.
    """
    query, groups, grain = (read(request.args) for read in (filters.read, filters.groups, filters.granularity))
    groups = list(dict.fromkeys([*([grain] if grain else []), *groups]))
    shown = [name for group in groups for name in GROUP_FIELDS.get(group, (group,))] + list(COUNTS)
    words = query.since, query.until, groups, Jsonb(query.filters), query.zone.key
    data, totals, text = [], NOTHING, partial(current_app.json.dumps, separators=(",", ":"))
    with auth.person() as tx:
        rows = report(tx, *words)
        lack = tx.call("sums_lack", query.since, query.until, groups, words[3])["sums_lack"]
    for row in rows:
        if row["is_total"]:
            totals = row
        else:
            row |= {word: _start(row, word, query.zone) for word in GRAINS if word in groups}
            data.append(text(plain({name: row[name] for name in shown})))
    added = text(plain({name: totals[name] for name in COUNTS}))
    body = (
        f'{{"data":[{",".join(data)}],"next_cursor":null,"totals":{added},"lack_before":{text(lack and str(lack))}}}\n'
    )
    return current_app.response_class(body, mimetype="application/json")


def _start(row: dict[str, Any], grain: str, zone: ZoneInfo) -> str:
    """When an hour, day, week or month of the zone began: 2026-11-29T14:00:00+01:00, 2026-11-29, 2026-11.

    Its date as Postgres says it: Python may have other rules for the zone, by which that moment is in the day before.
    """
    match grain:
        case "hour":
            clock = row["bar"].astimezone(zone)
            return clock.isoformat().replace("+00:00", "Z") if zone.key == "UTC" else clock.isoformat()
        case "month":
            return f"{row['day']:%Y-%m}"
        case _:
            return row["day"].isoformat()


@bp.get("/calls")
def calls() -> dict[str, Any]:
    query, many, behind = filters.read(request.args), limit(), cursors.read(request.args.get("cursor"), *NEWEST_FIRST)
    sessions = [str(as_id(word)) for word in request.args.getlist("session") if word]
    chosen = Jsonb(query.filters | ({"session": sessions} if sessions else {}))
    with auth.person() as tx:
        rows = tx.rows("calls_page", query.since, query.until, chosen, *behind, many + 1)
    return _paged([_call(row) for row in rows], many, "started_at", "id")


@bp.get("/calls/<uuid:call_id>")
def call(call_id: UUID) -> dict[str, Any]:
    with auth.person() as tx:
        rows = tx.query(CALL, call_id)
    if not rows:
        raise ApiError(404, "call_not_found", "no such call")
    row, lines = rows[0], json.loads(rows[0]["lines"] or "null", parse_float=Decimal)
    for line in lines or ():
        line |= {name: Decimal(line[name]) for name in EXACT if line.get(name) is not None}
    return plain(_call(row) | {"usage": row["usage"], "tools": row["tools"], "cost_lines": lines})


def _call(row: dict[str, Any]) -> dict[str, Any]:
    """A call or WebSocket session as lists show it, without the fields that only the answer for one call has."""
    return {"key_id" if name == "api_key_id" else name: row[name] for name in row if name not in HEAVY}


@bp.get("/sessions")
def websocket_sessions() -> dict[str, Any]:
    chosen, many = filters.given(request.args, filters.SESSION_FILTERS), limit()
    behind = cursors.read(request.args.get("cursor"), *NEWEST_FIRST)
    with auth.person() as tx:
        rows = tx.rows("websocket_sessions_page", Jsonb(chosen), *behind, many + 1)
    return _paged([_call(row) for row in rows], many, "started_at", "id")


@bp.get("/sessions/<uuid:session_id>")
def websocket_session(session_id: UUID) -> dict[str, Any]:
    with auth.person() as tx:
        row = tx.call("websocket_session_show", session_id)
    if row is None:
        raise ApiError(404, "session_not_found", "no such WebSocket session")
    return plain(_call(row))


@bp.get("/prices")
def prices() -> dict[str, Any]:
    """All prices by id; with ``model`` those of one model, the newest first."""
    many, (after,), model = limit(), cursors.read(request.args.get("cursor"), cursors.whole), request.args.get("model")
    with auth.person() as tx:
        if model is not None:
            return listed(tx.rows("price_history", model.replace("\0", "")))
        rows = tx.rows("price_page", after or 0, many + 1)
    return _paged(rows, many, "id")


@bp.post("/prices")
def add_price() -> tuple[dict[str, Any], int]:
    body = fields("NewPrice")
    words = (
        body.text("model"),
        body.text("dimension"),
        body.text("service_tier", needed=False),
        body.whole("context_min_tokens", 0),
        body.text("qualifier", needed=False),
        body.number("unit_price"),
        body.number("unit_qty"),
        body.moment("valid_from"),
        body.text("note", needed=False),
    )
    with auth.person() as tx:
        made = tx.rows("price_add", *words)[0]
        rows = tx.rows("price_history", made["model"])
    return plain(next(row for row in rows if row["id"] == made["id"])), 201


@bp.get("/audit")
def audit() -> dict[str, Any]:
    many, behind = limit(), cursors.read(request.args.get("cursor"), *NEWEST_FIRST)
    auth.admins_only()
    with auth.person() as tx:
        rows = tx.rows("audit_page", *behind, many + 1)
    return _paged(rows, many, "at", "id")


def _paged(rows: list[dict[str, Any]], many: int, *columns: str) -> dict[str, Any]:
    """A page of many rows of a list sorted by columns; rows holds one more where another page follows."""
    following = cursors.write(*(rows[many - 1][column] for column in columns)) if len(rows) > many else None
    return listed(rows[:many], following)
