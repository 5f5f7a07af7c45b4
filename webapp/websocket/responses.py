"""Responses over WebSocket: a ``response.create`` of the client, or a response that OpenAI begins itself, is a call."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

from webapp.errors import ApiError
from webapp.metering import RequestFacts, read_json_request
from webapp.metering import tools as tool_items
from webapp.metering.answer import MEMBERS
from webapp.metering.jsonwalk import as_object
from webapp.metering.references import UNREADABLE, Objection
from webapp.metering.request import LARGE, RESPONSES, read_fields
from webapp.metering.selected import WHOLE, Selection
from webapp.metering.stream import EVENT, MAX_ITEMS
from webapp.pause import Pause
from webapp.websocket.meaning import Meaning, mentions, read_event, read_message, refuse, word
from webapp.websocket.session import Session, SessionCall

CREATE = "response.create"
ENDS = ("response.completed", "response.incomplete", "response.failed")
STEER = "response.steer."
# A message of OpenAI's without one of these is passed on unread. Their names are never written with escapes.
READ = (b'"response.created"', b'"response.output_item.done"', b'"error"', b'"response.steer.',
        *(f'"{name}"'.encode() for name in ENDS))  # fmt: skip
ASKED: Selection = {"type": WHOLE, "stream_id": WHOLE, "model": WHOLE, "response": {
    "model": WHOLE, "store": WHOLE, "user": WHOLE, "safety_identifier": WHOLE, "tools": [tool_items.TOOL],
}}  # fmt: skip
ERROR: Selection = {**dict.fromkeys(("type", "stream_id", "status", "sequence_number"), WHOLE),
                    "error": {"code": WHOLE, "type": WHOLE}}  # fmt: skip
ANSWERED: Selection = {
    **EVENT, **ERROR, "steer": {"previous_response_id": WHOLE},
    "response": {**MEMBERS, "previous_response_id": WHOLE, "incomplete_details": {"reason": WHOLE}},
}  # fmt: skip


class Lane:
    """One sequence of responses (``stream_id``): asked for and not begun yet, and the tool items of the running one.

    newest: id of the response that has begun last. steered: ids of responses that OpenAI goes on from by itself, in a
    response that it has not begun yet.
    """

    def __init__(self) -> None:
        self.waiting: deque[SessionCall] = deque()
        self.items: list[dict[str, Any]] = []
        self.newest = ""
        self.steered: set[str] = set()


class Responses(Meaning):
    """The responses of a session; also those inside a Live session, where OpenAI asks for them itself (``path``)."""

    local = ("stream_id", "event_id")
    path: str | None = None

    def __init__(self, session: Session, seconds: int) -> None:
        super().__init__(session, seconds)
        self.lanes: dict[str, Lane] = {}

    @property
    def under_way(self) -> bool:
        return bool(self.running) or any(lane.waiting or lane.steered for lane in self.lanes.values())

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
            else:
                self.check(data, fields)
        except ApiError as error:
            return json.dumps(refuse(error, stream_id=lane)).encode()
        return None

    def _facts(self, data: bytes, fields: dict[str, Any]) -> RequestFacts:
        """What the row takes from a ``response.create``, whose body may also stand in a member of its own."""
        nested = fields.get("response")
        if isinstance(nested, dict):
            facts = read_fields(RESPONSES, nested, self.is_own)
            beside = {name: value for name, value in fields.items() if name != "response"}
            found = facts.objection or read_fields("", beside, self.is_own).objection
            facts = facts._replace(objection=Objection(UNREADABLE) if len(data) > LARGE else found)
        else:
            facts = read_json_request(RESPONSES, data, Pause(), self.is_own)
        return facts._replace(stream=True, body=b"")

    def is_own(self, name: str, value: Any) -> bool:
        """Lanes, and responses of this session: to go on from one of them needs no OpenAI key of one's own."""
        return type(value) is str and (name in self.local or value in self.running or self.has_ended(value))

    def lane(self, stream_id: str | None) -> Lane:
        """The lane of this name, known or new."""
        return self.lanes.setdefault(stream_id or "", Lane())

    def answered(self, data: bytes) -> None:
        if mentions(data, READ):
            event, doubtful = read_event(data, ANSWERED)
            self.event(event, self.lane(word(event.get("stream_id"))), doubtful=doubtful)

    def event(self, event: dict[str, Any], lane: Lane, *, doubtful: bool) -> None:
        """An event of the Responses API."""
        kind, response = event.get("type"), as_object(event.get("response"))
        upstream_id = word(response.get("id")) or ""
        if kind == "response.created":
            if self.is_new(upstream_id):
                lane.items, lane.newest = [], upstream_id
                self.begin(upstream_id, self._begun(lane, response), word(response.get("model")))
        elif kind == "response.output_item.done":
            if len(lane.items) < MAX_ITEMS and (item := tool_items.slim(event.get("item"))):
                lane.items.append(item)
        elif kind in ENDS:
            if not self.has_ended(upstream_id):
                call = self.running.pop(upstream_id, None) or self._begun(lane, response)
                self.settle(call, response | {"object": "response"}, lane.items, doubtful=doubtful)
                self.forget(upstream_id)
                if as_object(response.get("incomplete_details")).get("reason") == "steered":
                    lane.steered.add(upstream_id)
        elif isinstance(kind, str) and kind.startswith(STEER):
            self._steered(kind, word(as_object(event.get("steer")).get("previous_response_id")) or "", lane)
        elif kind == "error" and (event.get("sequence_number") is None or lane.newest not in self.running):
            self._refused(event, lane)  # else the running response tells it, whose end may still come

    def _steered(self, kind: str, upstream_id: str, lane: Lane) -> None:
        """OpenAI has taken input for a running response (accepted), which may lead to a response that nobody asks for.

        It does not where the input could not be used (failed) or waits for the client's next message (pending).
        """
        if kind == f"{STEER}accepted" and upstream_id in self.running:
            lane.steered.add(upstream_id)
        elif kind in (f"{STEER}failed", f"{STEER}pending"):
            lane.steered.discard(upstream_id)

    def _refused(self, event: dict[str, Any], lane: Lane) -> None:
        """OpenAI has refused what was asked for in a lane.

        An error that names no lane is about the one without a name, or, where nothing waits in it, the only one in
        which something does. If it was about something else, the response begins in spite of it, as a call of its own.
        """
        unnamed = event.get("stream_id") is None and not lane.waiting
        waiting = [one for one in (self.lanes.values() if unnamed else (lane,)) if one.waiting]
        if len(waiting) == 1:
            status = str(event.get("status"))
            waiting[0].waiting.popleft().settle(int(status) if re.fullmatch("[45][0-9]{2}", status) else 400, "error")

    def _begun(self, lane: Lane, response: dict[str, Any]) -> SessionCall:
        """The call of a response that has begun: the client's, in the order it asked; or OpenAI's own."""
        before = word(response.get("previous_response_id"))
        if lane.waiting and before not in lane.steered:
            return lane.waiting.popleft()
        lane.steered.clear()
        return self.seen(RequestFacts(model=word(response.get("model")), stream=True), self.path)
