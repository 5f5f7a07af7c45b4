"""One proxied call: what is known of it at each step, and the two messages the ledger gets about it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from webapp.gateway.body import RequestBody, UploadBody
from webapp.gateway.routes import Route
from webapp.metering import AnswerFacts, RequestFacts, Tags, warning
from webapp.metering.text import clean

MAX_HEADER_CHARS = 200


def new_id(now_ms: int) -> str:
    """A UUIDv7: ``now_ms``, a moment in milliseconds since 1970, then 74 random bits."""
    moment, random = f"{now_ms:012x}", os.urandom(10).hex()
    return f"{moment[:8]}-{moment[8:]}-7{random[:3]}-{'89ab'[int(random[3], 16) & 3]}{random[4:7]}-{random[8:]}"


def only_object(route: Route, body: RequestBody, raw: str) -> str | None:
    """The id in the path of a call that reads, cancels or deletes one stored object and names no other; else None."""
    if route.method == "POST" and not route.path.endswith("}/cancel"):
        return None
    if isinstance(body, UploadBody) or body.facts().objection:
        return None
    named = zip(route.path.split("/"), raw.partition("?")[0].split("/"), strict=False)
    ids = [part for name, part in named if name.startswith("{")]
    return ids[0] if len(ids) == 1 else None


class Call:
    """One call from its arrival to its row.

    ``started_at`` is exactly the moment inside ``id``, so that the id alone tells which month's partition has the row.
    """

    def __init__(self, route: Route, method: str, body: RequestBody, tags: Tags, raw: str = "") -> None:
        """raw: path and query that go upstream."""
        now_ms = time.time_ns() // 1_000_000
        self.id = new_id(now_ms)
        started = datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=now_ms % 1000 * 1000)
        self.started_at = started.isoformat()
        self.clock = time.monotonic()
        self.route, self.method, self.body, self.tags = route, method, body, tags
        self.endpoint = route.endpoint
        self.object_id = only_object(route, body, raw)
        self.opened: dict[str, Any] = {}
        self.session_id: str | None = None  # of the session over WebSocket that it is part of
        self.region: str | None = None  # of OpenAI's API, where it was sent to one; see region.py
        self.request_id: str | None = None
        self.openai_project: str | None = None
        self.sent: float | None = None  # when it began to be sent to OpenAI; by time.monotonic(), as all below
        self.heard: float | None = None  # when the wait for OpenAI ended last
        self.first_byte: float | None = None
        self.end_seen: float | None = None  # when the end marker of a stream came; see Gateway._at_end
        self.settled = False
        self.client: Any = None  # the client's connection, a webapp.server.peers.Peer; None outside of that server
        self.answering = False  # whether a part of the answer was sent
        self.there = False  # whether the client was still connected when its answer had come to the end

    def elapsed_ms(self, until: float | None = None) -> int:
        """Milliseconds from the call's arrival until a moment of time.monotonic(), by default now."""
        return round(((until or time.monotonic()) - self.clock) * 1000)

    def client_closed(self) -> bool:
        """Whether the client has closed its side of the connection. It may go on reading."""
        return self.client is not None and self.client.closed()

    def client_gone(self) -> bool:
        """Whether the client has hung up. While nothing was sent to it, this cannot be told from closing its side.

        Not asked again of a client that ``probe`` has just found there.
        """
        return not self.there and self.client_closed() and (not self.answering or self.client.gone())

    def probe(self) -> Iterator[bytes]:
        """Sends a client that has closed its side the head, if not sent yet: its system tells whether it reads on."""
        self.there = not self.client_closed()
        if not self.there:
            yield b""

    def keep_head(self, header: Callable[[str], str]) -> None:
        """Keep what the headers of an answer, also of an error, say of the call: OpenAI's request id and project."""
        self.request_id = clean(header("x-request-id"), MAX_HEADER_CHARS)
        self.openai_project = clean(header("openai-project"), MAX_HEADER_CHARS)

    def headers(self) -> list[tuple[str, str]]:
        """What the answer's headers say of the call."""
        said = self.warning()
        return [("x-spendai-call-id", self.id), *([("x-spendai-warning", said)] if said else [])]

    def makes(self, facts: RequestFacts) -> bool:
        """Whether the answer's id names an object that OpenAI stores beyond the call."""
        if self.endpoint == "/v1/chat/completions":
            return facts.store is True
        return bool(self.route.makes) and facts.store is not False

    def open_message(self, key_hash: bytes, max_seconds: int) -> dict[str, Any]:
        """The message for app.open_calls."""
        facts, objection = self.body.facts(), self.body.objection
        return self._common(facts, self.tags, max_seconds) | {
            "key_hash": key_hash.hex(),
            "model": facts.model,
            "stream": facts.stream,
            "objection": objection.code if objection else None,
            "object_id": self.object_id,
        }

    def settle_message(self, status: int, outcome: str, answer: AnswerFacts, max_seconds: int) -> dict[str, Any]:
        """The message for app.settle_calls; it holds all that the row needs, in case a failover lost the open row.

        Without the OpenAI project where the install's key serves several organizations: it is the operator's.
        """
        opened, facts = self.opened, self.body.facts()
        return self._common(facts, self._all_tags(facts), max_seconds) | {
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
            "warning": self.warning(),
            **({"listed": [self._seen(one) for one in answer.listed]} if answer.listed else {}),
            **({"containers": answer.containers} if answer.containers else {}),
            **({"output_file_id": answer.output_file_id} if answer.output_file_id else {}),
        }

    def warning(self) -> str | None:
        """What was left out of the tags that the client sent: short, ASCII; None for nothing."""
        wanted, facts = self.opened["metadata_tags"], self.body.facts()
        return warning(self.tags, self.tags.joined(facts.metadata)) if wanted else warning(self.tags)

    def _all_tags(self, facts: RequestFacts) -> Tags:
        """With those of the request's `metadata` where the project wants them; else these never leave the process."""
        return self.tags.joined(facts.metadata) if self.opened["metadata_tags"] else self.tags

    def _usage(self, answer: AnswerFacts) -> dict[str, Any] | None:
        """The usage with the region, of which prices depend; the usage of an unfinished object is still to come."""
        if self.region is None or (answer.usage is None and not answer.pending):
            return answer.usage
        return (answer.usage or {}) | {"region": self.region}

    def _common(self, facts: RequestFacts, tags: Tags, max_seconds: int) -> dict[str, Any]:
        message = {
            "id": self.id,
            "started_at": self.started_at,
            "max_seconds": max_seconds,
            "endpoint": self.endpoint,
            "method": self.method,
            "end_user": facts.end_user,
            "tags": dict(tags.kept),
        }
        if self.session_id:
            message["session_id"] = self.session_id
        return message

    def _seen(self, facts: AnswerFacts) -> dict[str, Any]:
        """What the ledger needs of a finished object in a list, or of a file, which has no id but that in the path."""
        return {
            "upstream_object_id": facts.object_id or self.object_id,
            "model": facts.model,
            "service_tier": facts.service_tier,
            "usage": facts.usage,
            "tools": facts.tools,
            "output_file_id": facts.output_file_id,
        }
