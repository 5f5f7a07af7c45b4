"""The output file of a batch, read while a client downloads it: what each of its requests used.

OpenAI's sum for a batch lacks much of what its requests cost: which of them had a long context, their tools, the kinds
of tokens of images. A line of the file is one request with OpenAI's whole answer; only its usage is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from webapp.metering.answer import MEMBERS, AskedCall, usage_of
from webapp.metering.images import svg_usage
from webapp.metering.jsonwalk import as_object
from webapp.metering.plain import JsonCopy
from webapp.metering.request import MAX_MODEL_CHARS, RequestFacts
from webapp.metering.scan import no_pause
from webapp.metering.selected import Selection
from webapp.metering.text import clean
from webapp.metering.usage import add

# Input tokens: a request with no more has no long context. Where a price says otherwise, app.price_batch gives no cost.
LONG = 128_000
# Of the usage of longer requests together, about 2,000, and of the ids of containers; with more the file tells nothing.
MAX_KEPT_CHARS = 524_288
_BODY = ("object", "model", "usage", "tool_usage", "svg_usage", "tools", "output")
LINE: Selection = {"response": {"body": {name: MEMBERS[name] for name in _BODY}}}
# Which endpoint answered only matters for a chat model that always searches (see usage_of).
_ASKED = AskedCall("/v1/chat/completions", "POST", RequestFacts())


class BatchOutput:
    """Reads a file piece by piece; `pause` lets other calls run between two steps of a long line.

    A file with a line that does not begin with a brace, or cannot be read, tells nothing; the rest of it is not read.
    """

    def __init__(self, pause: Callable[[], None] = no_pause) -> None:
        self._pause = pause
        self._line: JsonCopy | None = None
        self._readable = True
        self._in = self._out = 0  # tokens
        self._short: dict[str, Any] = {}  # the sum of their usage
        self._long: list[dict[str, Any]] = []
        self._calls: Counter[str] = Counter()  # of tools, by dimension
        self._containers: dict[str, str] = {}  # with the dimension of their sessions
        self._images: dict[str, Any] = {}  # the sum of what image models did inside of responses
        self._svg: Any = None
        self._room = MAX_KEPT_CHARS

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the file."""
        for place, part in enumerate(piece.split(b"\n") if self._readable else ()):
            if place and self._line:
                self._end_line()
            if self._line is None and part.strip():
                self._readable = self._readable and part.startswith(b"{")
                self._line = JsonCopy(LINE, self._pause)
            if not self._readable:
                return
            if self._line:
                self._line.add(part)

    def answer(self) -> tuple[dict[str, Any], bool]:
        """What app.fill_batch takes, or {}, and False: never doubtful.

        {input_tokens, output_tokens, by_length}; tools: their calls by dimension; tool_usage, svg_usage: as in the
        usage of one response.
        """
        if self._line and self._readable:
            self._end_line()
        if not self._readable or not self._in:
            return {}, False
        by_length = {"over": LONG, "short": self._short, "long": self._long}
        calls = self._calls + Counter(self._containers.values())
        more = {"tools": dict(calls), "tool_usage": self._images, "svg_usage": self._svg}
        told = {"input_tokens": self._in, "output_tokens": self._out, "by_length": by_length}
        return told | {name: part for name, part in more.items() if part}, False

    def _end_line(self) -> None:
        line, self._line = self._line, None
        value, doubtful = line.answer()
        body = as_object(as_object(value.get("response")).get("body"))
        found, calls, ran_in = usage_of(_ASKED, body, [], clean(body.get("model"), MAX_MODEL_CHARS))
        usage = found or {}
        tokens_in = usage.get("input_tokens", usage.get("prompt_tokens"))
        tokens_out = usage.get("output_tokens", usage.get("completion_tokens", 0))
        counted = type(tokens_in) is type(tokens_out) is int and min(tokens_in, tokens_out) >= 0
        # A request that failed has no usage.
        self._readable = bool(value) and not doubtful and (counted or body.get("usage") is None)
        if not counted:
            return
        self._in += tokens_in
        self._out += tokens_out
        self._add_others(usage.pop("tool_usage", None), usage.pop("svg_usage", None))
        self._add_tools(calls or {}, ran_in or {})
        if tokens_in > LONG:
            self._long.append(usage)
            self._keep(usage)
        else:
            self._short = add(self._short, usage)

    def _add_others(self, image: Any, svg: Any) -> None:
        """Add what other models did for a response. `image_model` stays only where all images name the same."""
        if image:
            known = self._images.get("image_model", image["image_model"]) if image.get("image_gen") else None
            self._images = add(self._images, image) | {"image_model": known if known == image["image_model"] else None}
        if svg:
            self._svg = svg_usage(
                block for part in (self._svg, svg) for block in (part if type(part) is list else [part])
            )

    def _add_tools(self, calls: dict[str, int], ran_in: dict[str, str]) -> None:
        """Add calls of tools; a container that several requests ran in has one session."""
        self._calls.update(calls)
        self._calls.subtract(Counter(ran_in.values()))
        new = {name: dimension for name, dimension in ran_in.items() if name not in self._containers}
        self._containers |= new
        self._keep(*new)

    def _keep(self, *parts: Any) -> None:
        self._room -= sum(len(repr(part)) for part in parts)
        self._readable = self._readable and self._room >= 0
