"""Opens and settles calls in SQL as a gateway does, in batches, to measure what a large ledger costs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import psycopg

from webapp.gateway.call import new_id

BATCH = 32
USAGE = {
    "prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 0},
}  # fmt: skip
KEYS = """
select k.id::text, k.project_id::text, k.org_id::text, encode(k.key_hash, 'hex')
from public.api_keys k order by md5(k.id::text) limit 8
"""
OPEN = "select count(*) from app.open_calls(%s::jsonb, 'none', null) where outcome = 'opened'"
SETTLE = "select count(*) from app.settle_calls(%s::jsonb) where outcome = 'settled'"


def rate(dsn: str, seconds: float) -> float:
    """Calls per second that one connection opens and settles in ``seconds``, with two commits for each batch of 32."""
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=0) as conn:
        conn.execute("select app.ensure_partition(now()::date)")
        keys = conn.execute(KEYS).fetchall()
        done, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            for statement, messages in zip((OPEN, SETTLE), message_pairs(keys), strict=True):
                (count,) = conn.execute(statement, [json.dumps(messages)]).fetchone()
                assert count == BATCH, f"{count} of {BATCH}: {statement}"
            done += BATCH
        return done / (time.perf_counter() - begun)


def message_pairs(keys: list[tuple[str, ...]], batch: int = BATCH) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The messages that open a batch of calls, and those that settle it. keys: rows of KEYS."""
    opens, settles = [], []
    for n in range(batch):
        key_id, project_id, org_id, key_hash = keys[n % len(keys)]
        now = time.time_ns() // 1_000_000
        call = {
            "n": n, "id": new_id(now), "started_at": datetime.fromtimestamp(now / 1000, UTC).isoformat(),
            "max_seconds": 3600, "endpoint": "/v1/chat/completions", "method": "POST", "stream": False,
            "end_user": f"user-{n}" if n % 4 == 0 else None, "tags": {"team": "web"} if n % 2 == 0 else {},
        }  # fmt: skip
        opens.append(call | {"key_hash": key_hash, "model": "gpt-4o-mini", "objection": None})
        settles.append(call | {
            "org_id": org_id, "project_id": project_id, "api_key_id": key_id, "upstream": "sandbox", "account": org_id,
            "batch": False, "model_requested": "gpt-4o-mini", "model": "gpt-4o-mini-2024-07-18",
            "service_tier": "default", "usage": USAGE, "tools": None, "outcome": "complete", "status_code": 200,
            "latency_ms": 900, "ttft_ms": 300, "upstream_request_id": f"req_{token_hex(16)}",
            "upstream_object_id": f"chatcmpl-{token_hex(14)}", "makes": False,
        })  # fmt: skip
    return opens, settles
