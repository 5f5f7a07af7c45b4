"""Realtime over WebSocket: responses, which the client or a detected voice begins; transcripts; translations.

The events name no model: a response is billed at the session's, a transcript at the transcription model that the latest
session event named when OpenAI began it.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any
from uuid import uuid4

from webapp.errors import ApiError
from webapp.metering import RequestFacts
from webapp.metering.jsonwalk import as_object
from webapp.metering.selected import EVERY, WHOLE, Selection
from webapp.metering.usage import sanitise
from webapp.websocket.meaning import Meaning, mentions, read_event, read_message, refuse, word
from webapp.websocket.session import Session, SessionCall

CREATE = "response.create"
SESSION_EVENTS = (
    "session.created",
    "session.updated",
    "transcription_session.created",
    "transcription_session.updated",
)
# OpenAI transcribes audio once it is committed; some models say the first words before.
COMMITTED = "input_audio_buffer.committed"
TRANSCRIPT = "conversation.item.input_audio_transcription."
TRANSCRIBING = (f"{TRANSCRIPT}delta", f"{TRANSCRIPT}segment")
TRANSCRIBED = (f"{TRANSCRIPT}completed", f"{TRANSCRIPT}failed")
TRANSLATED = "session.closed"
RATE_LIMITS = "rate_limits.updated"
READ = tuple(f'"{name}"'.encode() for name in (
    "response.created", "response.done", "error", COMMITTED, *TRANSCRIBING, *TRANSCRIBED, TRANSLATED,
    *SESSION_EVENTS))  # fmt: skip
_MODEL = {"model": WHOLE}
ASKED: Selection = {"type": WHOLE, "event_id": WHOLE}
ANSWERED: Selection = {
    "type": WHOLE, "item_id": WHOLE, "content_index": WHOLE, "usage": EVERY,
    "response": {"id": WHOLE, "status": WHOLE, "usage": EVERY},
    "session": {"id": WHOLE, "model": WHOLE, "input_audio_transcription": _MODEL,
                "audio": {"input": {"transcription": _MODEL}}},
    "error": {"event_id": WHOLE},
}  # fmt: skip
LOCAL = ("item_id", "previous_item_id", "response_id", "event_id")


class Realtime(Meaning):
    """The responses and transcripts of a session. model: of its address, until OpenAI has told the session's."""

    local = LOCAL

    def __init__(self, session: Session, seconds: int, model: str | None) -> None:
        super().__init__(session, seconds)
        self.model, self.transcription_model = model, None
        self.transcribes = False  # whether OpenAI transcribes what is committed now
        self.heard: set[str] = set()  # items under way of whose transcript words are there
        self.waiting: deque[tuple[str | None, SessionCall]] = deque()  # asked for: the client's event_id, the call

    @property
    def under_way(self) -> bool:
        return bool(self.running or self.waiting)

    def left(self) -> list[SessionCall]:
        return [*super().left(), *(call for _, call in self.waiting)]

    def asked(self, data: bytes) -> bytes | None:
        fields: dict[str, Any] = {}
        try:
            if self.session.shared:
                fields = read_message(data, ASKED)
                self.check(data, fields)
            elif b'"response.create' in data or b"\\u" in data:
                fields = read_message(data, ASKED)
            if fields.get("type") == CREATE:
                self.waiting.append((word(fields.get("event_id")), self.opened(self._facts())))
        except ApiError as error:
            return _refuse(error, word(fields.get("event_id")))
        return None

    def _facts(self) -> RequestFacts:
        return RequestFacts(model=self.model, stream=True)

    def answered(self, data: bytes) -> None:
        if not mentions(data, READ):
            return
        event, doubtful = read_event(data, ANSWERED)
        kind, response = event.get("type"), as_object(event.get("response"))
        upstream_id = word(response.get("id")) or ""
        if kind in SESSION_EVENTS:
            self._told(as_object(event.get("session")))
        elif kind == "response.created" and self.is_new(upstream_id):
            self.begin(upstream_id, self._begun(upstream_id), self.model)
        elif kind == "response.done" and not self.has_ended(upstream_id):
            call = self.running.pop(upstream_id, None) or self._begun(upstream_id)
            answer = {"id": upstream_id, "model": self.model, "usage": response.get("usage")}
            self.settle(call, answer, doubtful=doubtful)
            self.forget(upstream_id)
        elif kind in TRANSCRIBING or (kind == COMMITTED and self.transcribes):
            self._transcribing(word(event.get("item_id")) or "", heard=kind != COMMITTED)
        elif kind in TRANSCRIBED:
            self._transcribed(event, doubtful=doubtful)
        elif kind == "error":
            self._refused(word(as_object(event.get("error")).get("event_id")))

    def withholds(self, data: bytes) -> bool:
        """On a shared key a client does not learn how much of the rate limits is left: others use them, too."""
        if not self.session.shared or not mentions(data, (f'"{RATE_LIMITS}"'.encode(),)):
            return False
        return read_event(data, {"type": WHOLE})[0].get("type") == RATE_LIMITS

    def _told(self, session: dict[str, Any]) -> None:
        """A session event: the models, and the session's id."""
        self.session.upstream_id = self.session.upstream_id or word(session.get("id"))
        self.model = word(session.get("model")) or self.model
        self.session.model = self.model
        audio = as_object(as_object(session.get("audio")).get("input"))
        told = as_object(audio.get("transcription")) or as_object(session.get("input_audio_transcription"))
        self.transcribes = bool(told)
        self.transcription_model = word(told.get("model")) or self.transcription_model

    def _begun(self, upstream_id: str) -> SessionCall:
        """The call of a response that has begun: the oldest that was asked for, or one that a voice has begun.

        Every connection to the session is told of it.
        """
        if not self.waiting:
            return self.seen(self._facts(), seen_as=upstream_id)
        call = self.waiting.popleft()[1]
        call.seen_as = upstream_id
        return call

    def _transcribing(self, item: str, *, heard: bool) -> None:
        """OpenAI has begun a transcript, and bills it even if the session ends before it tells the usage.

        heard: whether words of it are there.
        """
        if self.is_new(item):
            call = self.seen(RequestFacts(model=self.transcription_model), seen_as=f"{item}/0")
            self.begin(item, call, self.transcription_model)
        if heard and item in self.running:
            self.heard.add(item)

    def _transcribed(self, event: dict[str, Any], *, doubtful: bool) -> None:
        """The end of a transcript. A failed one costs nothing where no word of it was told; else it may be billed."""
        item = word(event.get("item_id")) or ""
        part = item and f"{item}/{word(str(event.get('content_index')))}"
        if self.has_ended(part):
            return
        call, failed = self.running.pop(item, None), event.get("type") != TRANSCRIBED[0]
        if failed and call is None:
            return
        self.forget(item)
        self.forget(part)
        model = call.begun.model if call and call.begun else self.transcription_model
        call = call or self.seen(RequestFacts(model=model), seen_as=part)
        call.seen_as = part or None
        if failed:
            call.settle(400, "no_usage" if item in self.heard else "error")
        else:
            answer = {"id": event.get("item_id"), "model": model, "usage": event.get("usage")}
            self.settle(call, answer, doubtful=doubtful)
        self.heard.discard(item)

    def _refused(self, event_id: str | None) -> None:
        """OpenAI has refused a message of the client, which it names by the client's event_id, if it had one.

        If it was about another message without one, the response begins in spite of it, as a call of its own.
        """
        found = next((one for one in self.waiting if one[0] == event_id), None)
        if found:
            self.waiting.remove(found)
            found[1].settle(400, outcome="error")


class Translation(Meaning):
    """A translation session is one call: its seconds of audio, told at its end."""

    local = LOCAL

    def __init__(self, session: Session, seconds: int, model: str | None) -> None:
        super().__init__(session, seconds)
        self._model, self._call = model, None

    def asked(self, data: bytes) -> bytes | None:
        try:
            if self.session.shared:
                self.check(data, read_message(data, ASKED))
            if self._call is None:
                self._call = self.opened(RequestFacts(model=self._model, stream=True))
                self.begin("", self._call, self._model)
        except ApiError as error:
            return _refuse(error, None)
        return None

    def answered(self, data: bytes) -> None:
        if not mentions(data, READ):
            return
        event, doubtful = read_event(data, ANSWERED)
        session = as_object(event.get("session"))
        self.session.upstream_id = self.session.upstream_id or word(session.get("id"))
        self.session.model = self._model = word(session.get("model")) or self._model
        if event.get("type") == TRANSLATED and "" in self.running:
            usage = _seconds(as_object(event.get("usage")))
            answer = {"id": self.session.upstream_id, "model": self._model, "usage": usage}
            call = self.running.pop("")
            call.seen_as = self.session.upstream_id
            self.settle(call, answer, doubtful=doubtful)

    def farewell(self) -> bytes | None:
        """The client is gone: OpenAI tells the seconds when it is asked to close."""
        return b'{"type":"session.close"}' if self.running else None


def _seconds(usage: dict[str, Any]) -> dict[str, Any] | None:
    """What is billed of a translation: the seconds of its input."""
    seconds = usage.get("seconds", usage.get("input_seconds"))
    return sanitise({"seconds": seconds}) if seconds is not None else None


def _refuse(error: ApiError, event_id: str | None) -> bytes:
    told = refuse(error)
    told["error"] |= {"event_id": event_id}
    return json.dumps({"type": "error", "event_id": f"event_{uuid4().hex[:20]}", "error": told["error"]}).encode()
