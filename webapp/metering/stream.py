"""What the events of OpenAI's streams mean: which one ends the answer, which to hide, where the usage is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from webapp.metering import deltas, event_names, tools
from webapp.metering.answer import MEMBERS
from webapp.metering.jsonwalk import as_object, as_objects
from webapp.metering.nulls import without_null
from webapp.metering.request import USAGE_ON_REQUEST, RequestFacts
from webapp.metering.scan import no_pause
from webapp.metering.selected import EVERY, WHOLE, Selection, select
from webapp.metering.sse import BOM, HEAD_BYTES, fields
from webapp.metering.usage import add, fuller, sanitise, size, tokens_out
from webapp.metering.verdicts import Verdict

MAX_ITEMS = 10_000
EVENT: Selection = {
    **MEMBERS, "type": WHOLE, "choices": [{"finish_reason": WHOLE}], "response": MEMBERS, "item": tools.ITEM,
    "x_groq": {"usage": EVERY},
}  # fmt: skip

_DONE = b"[DONE]"
_DONE_ENDS = b"] \t\n\r\x0b\x0c"  # no JSON object of a chunk ends so

# Inside a JSON string quotes are escaped, so these never match text that the model wrote.
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_TIER = re.compile(rb'"service_tier"\s*:\s*"')
_CHOICE = re.compile(rb'"choices"\s*:\s*\[\s*[^\]\s]')
_FIRST_TYPE = re.compile(rb'\s*\{\s*"type"\s*:\s*"([^"\\]*)"')
_LATER_TYPE = re.compile(rb'"type"\s*:\s*"[a-z_.]+\.(?:completed|incomplete|failed|done|created|updated|closed)"')
_ERROR = re.compile(rb'\s*\{\s*"error"\s*:\s*[^\sn]')
_TOOL_ITEM = re.compile(rb'"type"\s*:\s*"(?:' + "|".join(tools.COUNTED).encode() + rb')"')
_NAME_LINE = re.compile(rb"(?:^|[\r\n])event: ?([^\r\n]*)[\r\n]")
_DATA_LINE = re.compile(rb"(?:^|[\r\n])data: ?")


class StreamReader:
    """Judges the events of one answer (see verdicts.Judge) and keeps the few that its price needs."""

    def __init__(
        self, endpoint: str, request: RequestFacts, pause: Callable[[], None] = no_pause, *, hide: bool
    ) -> None:
        self.items: list[dict[str, Any]] = []  # tool items, slim
        self.edited = b""  # see verdicts.Judge
        self.ended = False
        self.failed = False  # whether an error event was seen
        self.doubtful = False  # whether a member that decides the price was there twice, or could not be read
        self._pause = pause
        self._final: dict[str, Any] | None = None  # the object or event that carries the usage
        self._used = False  # whether a chat chunk with usage above 0 was seen
        self._closing = False  # whether a chat chunk with usage was one of the last: without choices, or finishing one
        self._named: bytes = b""  # an event with the answer's id and model
        self._tiered: bytes = b""  # the last chat chunk with a service tier
        self._chat = endpoint in USAGE_ON_REQUEST
        self._hide = hide
        self._images = int(request.details.get("images", 1))
        self._due = False  # whether an image with usage was seen, and others are still to come
        self._bare = False  # whether an image without usage was seen

    def head(self, head: bytes) -> Verdict:
        """The verdict on an unfinished event whose first bytes are `head`: WAIT as long as they do not decide it."""
        head = head.removeprefix(BOM)
        name = _NAME_LINE.search(head)
        if name and b"." in name[1] and not self._chat:
            return event_names.by_name(name[1])
        data = _DATA_LINE.search(head)
        if not data:
            return Verdict.WAIT if len(head) < HEAD_BYTES else Verdict.PASS
        value = head[data.end() :].lstrip()
        if _DONE.startswith(value[: len(_DONE)]):
            return Verdict.WAIT
        if self._chat:
            return Verdict.WAIT if self._hide else Verdict.PASS
        kind = _FIRST_TYPE.match(value)
        return event_names.by_name(kind[1]) if kind else Verdict.WAIT

    def event(self, event: bytes) -> Verdict:
        """Read a whole event; see verdicts.Judge."""
        name, data = fields(event)
        if not data:
            return Verdict.PASS
        if data[-1] in _DONE_ENDS and len(data) < HEAD_BYTES and data.strip() == _DONE:
            self.ended = True
            return Verdict.HOLD if self._chat and not (self.failed or self._used) else Verdict.END
        if not self._chat and b"." not in name and name != event_names.ERROR:
            name = self._type(data)
        if name == event_names.ERROR or _ERROR.match(data):
            self.failed = True
            return Verdict.PASS
        if self._chat:
            return self._chunk(data, event)
        return self._typed(name, data) if name else self._chunk(data, event)

    def run(self, data: bytes) -> tuple[int, bytes]:
        """Read many chat chunks at once; see verdicts.Judge."""
        run, bare = deltas.leading(data) if self._chat and not self._closing else (b"", b"")
        self._named = self._named or deltas.named(run)
        if not self._named:
            return 0, b""
        self._tiered = deltas.tiered(run) or self._tiered
        return len(run), bare if self._hide else run

    def answer(self, *, whole: bool) -> dict[str, Any]:
        """The answer's final object, as far as the stream contained it; {} when it contained nothing of it.

        whole: whether the upstream ended the stream properly. In one that broke off, the usage of a chat chunk counts
        only if the chunk was one of the last: some servers count on in every chunk. Of images, usage that is not that
        of all of them is a bound (see decided.py).
        """
        if self._chat and not self._counts(whole=whole or self.ended):
            self._final = None
        if self._final is not None and self._final.get("object") == "response":
            return self._final
        told = {key: value for key, value in (self._final or {}).items() if value}
        if not told.keys() >= {"id", "model", "service_tier"}:  # else the event with the usage names all of them itself
            named = self._read(self._named)
            if isinstance(named.get("response"), dict):
                return _begun(named["response"])
            beside = {"id": named.get("id"), "model": named.get("model"),
                      "service_tier": self._read(self._tiered).get("service_tier")}  # fmt: skip
            told = {key: value for key, value in beside.items() if value} | told
        if "usage" in told and (self._bare or (self._due and (self.failed or not whole))):
            told["usage"] = {**told["usage"], "at_least": True}
        return told

    @property
    def metered(self) -> bool:
        """Whether the usage has been seen, or the regular end of an answer without usage."""
        return self._final is not None or (self.ended and not self.failed)

    def _counts(self, *, whole: bool) -> bool:
        """Whether the usage is that of the whole answer. Without output, or all zeros, it must stand at the end."""
        if not self._used:
            return self.ended and self._closing
        return self._closing or (whole and tokens_out((self._final or {})["usage"]) > 0)

    def _read(self, data: bytes) -> dict[str, Any]:
        """The object in an event's data."""
        value, doubtful = select(data, EVENT, self._pause)
        self.doubtful = self.doubtful or doubtful
        return value

    def _type(self, data: bytes) -> bytes:
        """The `type` of an event whose name line is missing; b"" when it has none that matters."""
        if first := _FIRST_TYPE.match(data):
            return first[1]
        return str(self._read(data).get("type") or "").encode() if _LATER_TYPE.search(data) else b""

    def _chunk(self, data: bytes, event: bytes) -> Verdict:
        """An event without a type, and its data: a chunk of a chat or text completion."""
        if not self._named and deltas.MODEL.search(data):
            self._named = data
        if self._closing and _CHOICE.search(data):
            self._closing = False  # the answer goes on
        if b'"service_tier":"' in data or (b'"service_tier"' in data and _TIER.search(data)):  # bytes are found faster
            self._tiered = data
        if b'"usage"' not in data:
            return Verdict.PASS
        if _USAGE.search(data):
            chunk = self._read(data)
            usage = self._usage_of(chunk)
            if usage is not None:
                self._final, self._used = {**chunk, "usage": usage}, size(usage) > 0
                if self._hide and chunk.get("choices") == [] and not _CHOICE.search(data):
                    return Verdict.HIDE
        if self._hide and (edited := without_null(event, data)):
            self.edited = edited
            return Verdict.EDIT
        return Verdict.PASS

    def _usage_of(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """The usage in a chat chunk, with that of earlier chunks; None if it has none."""
        found = [usage for usage in (chunk.get("usage"), as_object(chunk.get("x_groq")).get("usage"))
                 if isinstance(usage, dict)]  # fmt: skip
        if not found:
            return None
        choices = as_objects(chunk.get("choices"))
        self._closing = self._closing or not choices or any(choice.get("finish_reason") for choice in choices)
        usage = (self._final or {}).get("usage")
        for one in found:
            usage = fuller(usage, one)
        return usage

    def _typed(self, name: bytes, data: bytes) -> Verdict:
        if name in event_names.RESPONSE_ENDS:
            response = self._read(data).get("response")
            self._final = response | {"object": "response"} if isinstance(response, dict) else self._final
            self.ended = True
            return Verdict.END
        if name == event_names.ITEM_DONE:
            self._item(data)
        elif name == event_names.CREATED:
            self._named = data
        elif event_names.may_carry_usage(name):
            return self._medium(self._read(data), is_image=name.startswith(b"image"))
        elif name in (event_names.LIVE, event_names.LIVE_END):
            return self._live(self._read(data), name)
        return Verdict.PASS

    def _item(self, data: bytes) -> None:
        if _TOOL_ITEM.search(data) and len(self.items) < MAX_ITEMS:
            item = tools.slim(self._read(data).get("item"))
            if item:
                self.items.append(item)

    def _live(self, event: dict[str, Any], name: bytes) -> Verdict:
        """What a Live session has used so far: never added up."""
        usage = sanitise(event.get("usage"))
        if usage is not None:
            self._final = {"usage": fuller((self._final or {}).get("usage"), usage)}
        self.ended = name == event_names.LIVE_END
        return Verdict.END if self.ended else Verdict.PASS

    def _medium(self, event: dict[str, Any], *, is_image: bool) -> Verdict:
        """An image or a piece of audio is finished. Each image has its own usage; the last one ends the answer."""
        usage = sanitise(event.get("usage"))
        if usage is None:
            self._bare = self._bare or is_image
            return Verdict.PASS
        before = self._final or {}
        self._final = {"usage": add(before.get("usage"), usage) if is_image else fuller(before.get("usage"), usage)}
        if drawn := [*before.get("svg_usage", []), *([event["svg_usage"]] if event.get("svg_usage") else [])]:
            self._final["svg_usage"] = drawn
        self._images -= 1
        self._due = self._images > 0
        self.ended = not self._due
        return Verdict.END if self.ended else Verdict.PASS


def _begun(response: dict[str, Any]) -> dict[str, Any]:
    """A response whose end was not seen: pending if it runs in the background. Its tier is left out: not final."""
    kept = {key: response.get(key) for key in ("id", "model", "object")}
    return kept | ({"status": response.get("status")} if response.get("background") is True else {})
