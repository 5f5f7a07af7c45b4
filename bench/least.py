"""A gateway that does the least: it passes chat completions on and parses nothing of them. bench/floor.py measures it.

gunicorn runs it instead of wsgi.py, so server, client towards OpenAI and ledger are SpendAI's. The variable WRITES says
what is written down: nothing; rows: each call is opened and settled as SpendAI does it, but with constants for what its
answer said, in the ledger of floor.sql, which computes nothing; ledger: with these constants in our own ledger.
"""

from gevent import monkey

monkey.patch_all()

# ruff: noqa: E402
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench.settling import USAGE
from webapp import create_app
from webapp.gateway import gateway
from webapp.gateway.call import new_id
from webapp.gateway.key_check import bearer
from webapp.ledger import ledger
from webapp.secrets.hashing import sha256_of
from webapp.upstream.client import Answer, Request

if os.environ["WRITES"] == "rows":
    ledger.QUERIES |= {
        ledger.OPEN: "select * from bench.least_open($1::jsonb, $2, $3)",
        ledger.SETTLE: "select * from bench.least_settle($1::jsonb)",
    }
OPENED = {"endpoint": "/v1/chat/completions", "method": "POST", "stream": False, "end_user": None, "tags": {}}
SETTLED = {
    "batch": False, "model_requested": "gpt-4o-mini", "model": "gpt-4o-mini-2024-07-18", "service_tier": "default",
    "usage": USAGE, "tools": None, "region": None, "openai_project": None, "outcome": "complete", "status_code": 200,
    "latency_ms": 900, "ttft_ms": 300, "makes": False, "warning": None,
}  # fmt: skip


class Least(gateway.Gateway):
    """Every call is one that the organization of its key may make, its body is sent as it came, its answer not read."""

    def _proxy(self, environ: dict[str, Any], start_response: gateway.Start, path: str, query: str) -> Iterator[bytes]:
        body = environ["wsgi.input"].read()
        opened = {} if os.environ["WRITES"] == "nothing" else self._open(bearer(environ))
        headers = [("Authorization", "Bearer sk-upstream"), ("Content-Type", "application/json")]
        answer = self.client.send(self.config.openai_base_url, Request("POST", path, headers, body, len(body)))
        start_response("200 OK", [(n, v) for n, v in answer.headers if n.lower() in ("content-type", "content-length")])
        return self._passed_on(answer, opened)

    def _open(self, key: bytes) -> dict[str, Any]:
        now = time.time_ns() // 1_000_000
        started = datetime.fromtimestamp(now / 1000, UTC).isoformat()
        call = OPENED | {"id": new_id(now), "started_at": started, "max_seconds": 3600}
        told = call | {"key_hash": sha256_of(key).hex(), "model": "gpt-4o-mini", "objection": None, "object_id": None}
        row = self.ledger.open(told, lambda: call)
        return call | row | SETTLED | {"upstream_object_id": call["id"], "upstream_request_id": call["id"]}

    def _passed_on(self, answer: Answer, opened: dict[str, Any]) -> Iterator[bytes]:
        last = b""
        for chunk in answer.chunks:
            if last:
                yield last
            last = chunk
        answer.close()
        if opened:
            self.ledger.settle(opened)
        yield last


gateway.Gateway = Least  # before create_app, which makes one
app = create_app()
