"""Live over WebSocket: the seconds of the session are one call; each response and decision that it delegates, another.

OpenAI tells the seconds again and again, each time all of the session so far: the last number counts.
"""

from __future__ import annotations

from typing import Any

import orjson

from webapp.errors import ApiError
from webapp.gateway.refusals import refused
from webapp.metering import RequestFacts
from webapp.metering.jsonwalk import as_object
from webapp.metering.selected import EVERY, WHOLE, Selection, select
from webapp.metering.usage import fuller, sanitise
from webapp.websocket.meaning import Meaning, error_frame, mentions, objection_to, read_message, word
from webapp.websocket.responses import ANSWERED as RESPONSE_EVENT
from webapp.websocket.responses import Responses
from webapp.websocket.session import Session, SessionCall

START, CLOSED = "session.start", "session.closed"
READ = tuple(f'"{name}"'.encode() for name in (
    "session.started", "session.usage.updated", CLOSED, "response.event", "decision.event"))  # fmt: skip
ASKED: Selection = {"type": WHOLE, "event_id": WHOLE, "session": {"model": WHOLE}}
ANSWERED: Selection = {
    "type": WHOLE, "usage": EVERY, "delegation_id": WHOLE, "session": {"id": WHOLE, "model": WHOLE},
    "event": {**RESPONSE_EVENT, "decision": {"model": WHOLE, "usage": EVERY}},
}  # fmt: skip
LOCAL = ("event_id", "delegation_id")
WHOLE_SESSION = "session"  # key of the call that is the session


class Live(Meaning):
    """A Live session and the responses inside it."""

    def __init__(self, session: Session, seconds: int, session_seconds: int) -> None:
        super().__init__(session, seconds)
        self._session_seconds = session_seconds
        self._nested = Responses(session, seconds)
        self._nested.path = "/responses"
        self._usage: dict[str, Any] | None = None

    @property
    def under_way(self) -> bool:
        return bool(self.running) or self._nested.under_way

    def left(self) -> list[SessionCall]:
        return [*self.running.values(), *self._nested.left()]

    def asked(self, data: bytes) -> bytes | None:
        event_id = None
        try:
            if self.session.shared or b'"session.start' in data or b"\\u" in data:
                fields = read_message(data, ASKED)
                event_id = word(fields.get("event_id"))
                others = {name: value for name, value in fields.items() if name not in LOCAL}
                if self.session.shared and (found := objection_to(data, others, ())):
                    raise refused(found.code, found)
                if fields.get("type") == START and WHOLE_SESSION not in self.running:
                    self._start(word(as_object(fields.get("session")).get("model")))
        except ApiError as error:
            return orjson.dumps(error_frame(error, client_event_id=event_id))
        return None

    def _start(self, model: str | None) -> None:
        call = self.session.call(RequestFacts(model=model, stream=True), self._session_seconds)
        call.open()
        self.running[WHOLE_SESSION] = call

    def answered(self, data: bytes) -> None:
        if not mentions(data, READ):
            return
        event, doubtful = select(data, ANSWERED)
        kind, inner = event.get("type"), as_object(event.get("event"))
        if kind == "session.started":
            told = as_object(event.get("session"))
            self.session.upstream_id, self.session.model = word(told.get("id")), word(told.get("model"))
        elif kind == "response.event":
            self._nested.event(inner, self._nested.lane(word(event.get("delegation_id"))), doubtful=doubtful)
        elif kind == "decision.event" and inner.get("type") == "decision.completed":
            decision = as_object(inner.get("decision"))
            call = self._nested.seen(RequestFacts(model=word(decision.get("model"))), "/decisions")
            self.settle(call, decision, doubtful=doubtful)
        elif (usage := sanitise(event.get("usage"))) is not None:
            self._usage = fuller(self._usage, usage)
        self.closing = self.closing or self._nested.closing
        if kind == CLOSED:
            self._settle_session(200)

    def _settle_session(self, status: int) -> None:
        call = self.running.pop(WHOLE_SESSION, None)
        if call and self._usage is None:
            call.settle(status, "no_usage")
        elif call:
            self.settle(call, {"id": self.session.upstream_id, "model": self.session.model, "usage": self._usage})

    def finish(self, status: int) -> None:
        self._settle_session(status)
        super().finish(status)

    def farewell(self) -> bytes | None:
        """The client is gone: OpenAI tells the last seconds when it is asked to close."""
        return b'{"type":"session.close"}' if WHOLE_SESSION in self.running else None
