"""Files of Calls: every call of a period and filters, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import request
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.calls import bp, read_session
from webapp.pages.common import read_query

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
@login_required
def table() -> Response:
    """All calls of a query string as CSV. Each thousand is a transaction: none stays open while a slow client reads."""
    query = read_query(request.args)
    words = query.since, query.until, Jsonb(query.filters | read_session())

    def rows() -> Iterator[dict[str, Any]]:
        before: tuple[datetime | None, UUID | None] = (None, None)
        while True:
            with auth.person() as tx:
                found_rows = tx.rows("calls_page", *words, *before, EXPORT_PAGE)
            yield from found_rows
            if len(found_rows) < EXPORT_PAGE:
                return
            before = (found_rows[-1]["started_at"], found_rows[-1]["id"])

    name = f"calls-{query.since.date()}-{(query.until - timedelta(microseconds=1)).date()}"
    return export.answer(name, COLUMNS, rows())
