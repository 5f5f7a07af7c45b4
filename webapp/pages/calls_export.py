"""Files of Calls: every call of a period and filters, one row each, in the order of the list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import request
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required
from webapp.filters import Query
from webapp.pages import export
from webapp.pages.calls import ORDERS, bp, dropped_before, rank, read_session
from webapp.pages.common import read_query
from webapp.pages.measures import unknown_facts
from webapp.pages.sorting import read_sorting
from webapp.pages.spend_export import facts

RANKED_ROWS = 10_000  # that one transaction reads in another order than by time: each ranks all calls of the period
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
    "tokens_cache_write",
    "tokens_audio_in",
    "tokens_out",
    "tokens_reasoning",
    "tokens_audio_out",
    "cost",
    "cost_status",
    "latency_ms",
    "ttft_ms",
    "stream",
    "batch",
    "upstream",
    "end_user",
    "tags",
    "upstream_request_id",
    "adjustments",
    "cost_corrected",
    "provider_key_id",
    "provider_key_last4",
    "openai_project",
    "region",
    "warning",
    "session_id",
    "cost_at_least",
]


@bp.get("/calls.csv")
@bp.get("/calls.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """All calls of a query string as a file, sorted as the page is."""
    query, sorting = read_query(request.args), read_sorting(ORDERS)
    session = read_session()
    words = query.since, query.until, Jsonb(query.filters | session)

    def by_time(tx: db.Transaction, last: export.Row | None, count: int) -> list[export.Row]:
        return tx.rows("calls_page", *words, last and last["started_at"], last and last["id"], count)

    def ranked(tx: db.Transaction, last: export.Row | None, count: int) -> list[export.Row]:
        return tx.rows("calls_ranked", *words, sorting.word, last and rank(last, sorting), last and last["id"], count)

    by_age = sorting.word == "started_at"
    rows = export.paged(by_time) if by_age else export.paged(ranked, RANKED_ROWS)
    about = _facts(session["session"], words) if session else facts()
    return export.period_answer("calls", COLUMNS, rows, query, chain(about, _dropped(query)))


def _dropped(query: Query) -> Iterator[tuple[str, Any]]:
    """What the sheet About says of calls that the sums have and the rows have not."""
    if day := auth.read(lambda tx: dropped_before(tx, query)):
        yield "Not in the rows: calls from before this day (UTC), which were dropped", day


def _facts(session: list[str], words: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """What the sheet About says of the calls of WebSocket sessions, for which no sums are kept."""
    sums = auth.read(lambda tx: tx.call("calls_sum", *words, None))
    yield "Only calls of WebSocket session", ", ".join(session)
    yield "Calls", sums["calls"]
    yield "Cost, US dollars, without corrections", sums["cost"]
    yield from unknown_facts(sums)
