"""Responses over WebSocket: a ``response.create`` of the client, or a response that OpenAI begins itself, is a call."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import orjson

from webapp.errors import ApiError
from webapp.gateway.refusals import refused
from webapp.metering import RequestFacts, read_json_request
from webapp.metering import tools as tool_items
from webapp.metering.jsonwalk import as_object
from webapp.metering.references import UNREADABLE, Objection
from webapp.metering.request import LARGE, RESPONSES, read_fields
from webapp.metering.selected import WHOLE, Selection, select
from webapp.metering.stream import EVENT, MAX_ITEMS
from webapp.websocket.meaning import Meaning, error_frame, mentions, objection_to, read_message, word
from webapp.websocket.session import Session, SessionCall

CREATE = "response.create"
ENDS = ("response.completed", "response.incomplete", "response.failed")
# A message of OpenAI's without one of these is passed on unread. Their names are never written with escapes.
READ = (b'"response.created"', b'"response.output_item.done"', b'"error"', *(f'"{name}"'.encode() for name in ENDS))
ASKED: Selection = {"type": WHOLE, "stream_id": WHOLE, "model": WHOLE, "response": {
    "model": WHOLE, "store": WHOLE, "user": WHOLE, "safety_identifier": WHOLE, "tools": [tool_items.TOOL],
}}  # fmt: skip
ERROR: Selection = {"type": WHOLE, "stream_id": WHOLE, "status": WHOLE, "error": {"code": WHOLE, "type": WHOLE}}
ANSWERED: Selection = {**EVENT, **ERROR}


class Lane:
    """One sequence of responses (``stream_id``): asked for and not begun yet, and the tool items of the running one."""

    def __init__(self) -> None:
        self.waiting: deque[SessionCall] = deque()
        self.items: list[dict[str, Any]] = []


class Responses(Meaning):
    """The responses of a session; also those inside a Live session, where OpenAI asks for them itself (``path``)."""

    path: str | None = None

    def __init__(self, session: Session, seconds: int) -> None:
        super().__init__(session, seconds)
        self.lanes: dict[str, Lane] = {}

    @property
    def under_way(self) -> bool:
        return bool(self.running) or any(lane.waiting for lane in self.lanes.values())

    def left(self) -> list[SessionCall]:
        return [*super().left(), *(call for lane in self.lanes.values() for call in lane.waiting)]

    def asked(self, data: bytes) -> bytes | None:
        lane = None
        try:
            fields = read_message(data, ASKED)
            lane = word(fields.get("stream_id"))
            if fields.get("type") == CREATE:
                call = self.opened(self._facts(data, fields))
                self.lane(lane).waiting.append(call)
            elif self.session.shared and (found := objection_to(data, fields, self._made())):
                raise refused(found.code, found)
        except ApiError as error:
            return orjson.dumps(error_frame(error, stream_id=lane))
        return None

    def _facts(self, data: bytes, fields: dict[str, Any]) -> RequestFacts:
        """What the row takes from a ``response.create``, whose body may also stand in a member of its own."""
        nested = fields.get("response")
        if isinstance(nested, dict):
            facts = read_fields(RESPONSES, nested)
            objected = Objection(UNREADABLE) if len(data) > LARGE else objection_to(data, nested, self._made())
        else:
            facts = read_json_request(RESPONSES, data)
            objected = facts.objection and objection_to(data, fields, self._made())
        return facts._replace(stream=True, body=b"", objection=objected)

    def _made(self) -> Any:
        """Ids of the responses of this session: to go on from one of them needs no OpenAI key of one's own."""
        return self._ended

    def lane(self, stream_id: str | None) -> Lane:
        """The lane of this name, known or new."""
        return self.lanes.setdefault(stream_id or "", Lane())

    def answered(self, data: bytes) -> None:
        if mentions(data, READ):
            event, doubtful = select(data, ANSWERED)
            self.event(event, self.lane(word(event.get("stream_id"))), doubtful=doubtful)

    def event(self, event: dict[str, Any], lane: Lane, *, doubtful: bool) -> None:
        """An event of the Responses API."""
        kind, response = event.get("type"), as_object(event.get("response"))
        upstream_id = word(response.get("id")) or ""
        if kind == "response.created":
            lane.items = []
            self.begin(upstream_id, self._begun(lane, response))
        elif kind == "response.output_item.done":
            if len(lane.items) < MAX_ITEMS and (item := tool_items.slim(event.get("item"))):
                lane.items.append(item)
        elif kind in ENDS:
            if not self.has_ended(upstream_id):
                call = self.running.pop(upstream_id, None) or self._begun(lane, response)
                self.settle(call, response | {"object": "response"}, lane.items, doubtful=doubtful)
                self.forget(upstream_id)
        elif kind == "error":
            self._refused(event, lane)

    def _refused(self, event: dict[str, Any], lane: Lane) -> None:
        """OpenAI has refused what was asked for; an error that names no lane is about the only one that waits."""
        waiting = [one for one in (self.lanes.values() if event.get("stream_id") is None else (lane,)) if one.waiting]
        if len(waiting) == 1:
            status = str(event.get("status"))
            waiting[0].waiting.popleft().settle(int(status) if re.fullmatch("[45][0-9][0-9]", status) else 400, "error")

    def _begun(self, lane: Lane, response: dict[str, Any]) -> SessionCall:
        """The call of a response that has begun: the client's, in the order it asked; or OpenAI's own."""
        if lane.waiting:
            return lane.waiting.popleft()
        return self.seen(RequestFacts(model=word(response.get("model")), stream=True), self.path)
