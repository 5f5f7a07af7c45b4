"""One proxied call: what is known of it at each step, and the two messages the ledger gets about it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from webapp.gateway.body import RequestBody
from webapp.gateway.routes import Route
from webapp.metering import AnswerFacts, RequestFacts
from webapp.metering.text import clean

MAX_HEADER_CHARS = 200


def new_id(now_ms: int) -> str:
    """A UUIDv7: ``now_ms``, a moment in milliseconds since 1970, then 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    text = f"{now_ms << 80 | 0x7 << 76 | random >> 68 << 64 | 0b10 << 62 | random & (1 << 62) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Call:
    """One call from its arrival to its row.

    ``started_at`` is exactly the moment inside ``id``, so that the id alone tells which month's partition has the row.
    """

    def __init__(self, route: Route, method: str, body: RequestBody, tags: dict[str, str]) -> None:
        now_ms = time.time_ns() // 1_000_000
        self.id = new_id(now_ms)
        started = datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=now_ms % 1000 * 1000)
        self.started_at = started.isoformat()
        self.clock = time.monotonic()
        self.route, self.method, self.body, self.tags = route, method, body, tags
        self.endpoint = route.endpoint
        self.opened: dict[str, Any] = {}
        self.region: str | None = None  # of OpenAI's API, where it was sent to one; see region.py
        self.request_id: str | None = None
        self.openai_project: str | None = None
        self.first_byte: float | None = None
        self.end_seen: float | None = None  # when the end marker of a stream came; see Gateway._at_end
        self.settled = False

    def elapsed_ms(self, until: float | None = None) -> int:
        """Milliseconds from the call's arrival until a moment of time.monotonic(), by default now."""
        return round(((until or time.monotonic()) - self.clock) * 1000)

    def keep_head(self, header: Callable[[str], str]) -> None:
        """Keep what the headers of an answer, also of an error, say of the call: OpenAI's request id and project."""
        self.request_id = clean(header("x-request-id"), MAX_HEADER_CHARS)
        self.openai_project = clean(header("openai-project"), MAX_HEADER_CHARS)

    def makes(self, facts: RequestFacts) -> bool:
        """Whether the answer's id names an object that OpenAI stores beyond the call."""
        if self.endpoint == "/v1/chat/completions":
            return facts.store is True
        return bool(self.route.makes) and facts.store is not False

    def open_message(self, key_hash: bytes, max_seconds: int) -> dict[str, Any]:
        """The message for app.open_calls."""
        facts, objection = self.body.facts(), self.body.objection
        return self._common(facts, max_seconds) | {
            "key_hash": key_hash.hex(),
            "model": facts.model,
            "stream": facts.stream,
            "objection": objection.code if objection else None,
        }

    def settle_message(self, status: int, outcome: str, answer: AnswerFacts, max_seconds: int) -> dict[str, Any]:
        """The message for app.settle_calls; it holds all that the row needs, in case a failover lost the open row.

        Without the OpenAI project where the install's key serves several organizations: it is the operator's.
        """
        opened, facts = self.opened, self.body.facts()
        return self._common(facts, max_seconds) | {
            "org_id": opened["org_id"],
            "project_id": opened["project_id"],
            "api_key_id": opened["api_key_id"],
            "provider_key_id": opened["provider_key_id"],
            "upstream": opened["upstream"],
            "stream": facts.stream,
            "account": opened["account"],
            "batch": self.route.makes == "batch",
            "model_requested": facts.model,
            "model": answer.model,
            "service_tier": answer.service_tier,
            "usage": self._usage(answer),
            "region": self.region,
            "openai_project": None if opened["shared"] and opened["account"] == "install" else self.openai_project,
            "tools": answer.tools,
            "outcome": outcome,
            "status_code": status,
            "latency_ms": self.elapsed_ms(),
            "ttft_ms": self.elapsed_ms(self.first_byte) if self.first_byte else None,
            "upstream_request_id": self.request_id,
            "upstream_object_id": answer.object_id,
            "makes": self.makes(facts) and not opened["shared"],
        }

    def _usage(self, answer: AnswerFacts) -> dict[str, Any] | None:
        """The usage with the region, of which prices depend; the usage of an unfinished object is still to come."""
        if self.region is None or (answer.usage is None and not answer.pending):
            return answer.usage
        return (answer.usage or {}) | {"region": self.region}

    def _common(self, facts: RequestFacts, max_seconds: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "started_at": self.started_at,
            "max_seconds": max_seconds,
            "endpoint": self.endpoint,
            "method": self.method,
            "end_user": facts.end_user,
            "tags": self.tags,
        }
