"""Live over WebSocket: the seconds of the session are one call; each response and decision that it delegates, another.

OpenAI tells the seconds again and again, each time all of the session so far: the last number counts.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from webapp.errors import ApiError
from webapp.metering import RequestFacts
from webapp.metering.jsonwalk import as_object
from webapp.metering.selected import EVERY, WHOLE, Selection
from webapp.metering.usage import fuller, sanitise
from webapp.websocket.meaning import Meaning, mentions, read_event, read_message, refuse, word
from webapp.websocket.responses import ANSWERED as RESPONSE_EVENT
from webapp.websocket.responses import Responses
from webapp.websocket.session import Session, SessionCall

START, STARTED, USAGE, CLOSED = "session.start", "session.started", "session.usage.updated", "session.closed"
READ = tuple(f'"{name}"'.encode() for name in (STARTED, USAGE, CLOSED, "response.event", "decision.event", "error"))
ASKED: Selection = {"type": WHOLE, "event_id": WHOLE, "session": {"model": WHOLE}}
ANSWERED: Selection = {
    "type": WHOLE, "event_id": WHOLE, "usage": EVERY, "delegation_id": WHOLE, "session": {"id": WHOLE, "model": WHOLE},
    "event": {**RESPONSE_EVENT, "decision": {"model": WHOLE, "usage": EVERY}},
}  # fmt: skip
WHOLE_SESSION = "session"  # key of the call that is the session


class Live(Meaning):
    """A Live session and the responses inside it.

    seconds: a response is in doubt when it is not settled after so many; session_seconds: the same for the session.
    """

    local = ("event_id", "delegation_id")

    def __init__(self, session: Session, seconds: int, session_seconds: int) -> None:
        super().__init__(session, session_seconds)
        self._nested = Responses(session, seconds)
        self._nested.path = "/responses"
        self._usage: dict[str, Any] | None = None
        self._started = self._closed = False  # what OpenAI has said of the session last

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
                self.check(data, fields)
                if fields.get("type") == START and not self.running:
                    model = word(as_object(fields.get("session")).get("model"))
                    self.running[WHOLE_SESSION] = self.opened(RequestFacts(model=model, stream=True))
        except ApiError as error:
            return _refuse(error, event_id)
        return None

    def answered(self, data: bytes) -> None:
        if not mentions(data, READ):
            return
        event, doubtful = read_event(data, ANSWERED)
        kind, inner = event.get("type"), as_object(event.get("event"))
        if kind == "response.event":
            self._nested.event(inner, self._nested.lane(word(event.get("delegation_id"))), doubtful=doubtful)
        elif kind == "decision.event" and inner.get("type") == "decision.completed":
            self._decision(word(event.get("event_id")) or "", as_object(inner.get("decision")), doubtful=doubtful)
        elif kind == STARTED or (kind in (USAGE, CLOSED) and not self._closed):
            self._told(event)
            self._started, self._closed = kind != CLOSED, kind == CLOSED
            if self._closed:
                self._settle_session(200, final=sanitise(event.get("usage")) is not None)
        elif kind == "error" and not self._started:
            self._refused()
        self.closing = self.closing or self._nested.closing

    def _decision(self, event_id: str, decision: dict[str, Any], *, doubtful: bool) -> None:
        """A decision has no id of its own: the event that tells it has one."""
        if self.has_ended(event_id):
            return
        self.forget(event_id)
        call = self._nested.seen(RequestFacts(model=word(decision.get("model"))), "/decisions")
        self.settle(call, decision, doubtful=doubtful)

    def _told(self, event: dict[str, Any]) -> None:
        """What OpenAI tells of the session as such: it has begun, its seconds so far, its end."""
        told = as_object(event.get("session"))
        self.session.upstream_id = word(told.get("id")) or self.session.upstream_id
        self.session.model = word(told.get("model")) or self.session.model
        if (usage := sanitise(event.get("usage"))) is not None:
            self._usage = fuller(self._usage, usage)
        if WHOLE_SESSION not in self.running:  # begun by a message that was not read as session.start
            self.running[WHOLE_SESSION] = self.seen(RequestFacts(model=self.session.model, stream=True))

    def _refused(self) -> None:
        """OpenAI has refused the beginning. If the error was about something else, the session is seen to begin."""
        if call := self.running.pop(WHOLE_SESSION, None):
            call.settle(400, outcome="error")

    def _settle_session(self, status: int, *, final: bool) -> None:
        """Settle the session as such. final: OpenAI has told its last seconds; without them it may bill more."""
        call, usage, self._usage = self.running.pop(WHOLE_SESSION, None), self._usage, None
        if call:
            usage = usage if final or usage is None else usage | {"at_least": True}
            answer = {"id": self.session.upstream_id, "model": self.session.model, "usage": usage}
            self.settle(call, answer, doubtful=usage is None, status=status)

    def finish(self, status: int) -> None:
        self._settle_session(status, final=False)
        super().finish(status)

    def farewell(self) -> bytes | None:
        """The client is gone: OpenAI tells the last seconds when it is asked to close."""
        return b'{"type":"session.close"}' if WHOLE_SESSION in self.running else None


def _refuse(error: ApiError, event_id: str | None) -> bytes:
    told = refuse(error, client_event_id=event_id)
    told["error"] |= {"client_event_id": event_id}
    return json.dumps(told | {"event_id": f"event_{uuid4().hex[:20]}"}).encode()
