"""The output file of a batch, read while a client downloads it: what each of its requests used.

Long contexts are priced by the request, and of a batch OpenAI tells only the sum, which does not tell the cost where it
is long. A line of the file is one request with OpenAI's whole answer. Nothing is kept of it but its usage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webapp.metering.jsonwalk import as_object
from webapp.metering.plain import JsonCopy
from webapp.metering.scan import no_pause
from webapp.metering.selected import EVERY, Selection
from webapp.metering.usage import add, sanitise

ENDPOINT = "/v1/files/{file_id}/content"
LONG = (
    128_000  # input tokens, fewer than any long context begins with: up to here it does not matter how they were spread
)
MAX_LONG = 1000  # requests with more; about as many fit into the largest input file (200 MB)
LINE: Selection = {"response": {"body": {"usage": EVERY}}}


class BatchOutput:
    """Reads a file piece by piece; `pause` lets other calls run between two steps of a long line.

    A file that begins unlike such lines, or has one that cannot be read, tells nothing, and the rest of it is not read.
    """

    def __init__(self, pause: Callable[[], None] = no_pause) -> None:
        self._pause = pause
        self._line: JsonCopy | None = None
        self._readable = True
        self._in = self._out = 0  # tokens
        self._short: dict[str, Any] = {}  # the sum of their usage
        self._long: list[dict[str, Any]] = []

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the file."""
        for place, part in enumerate(piece.split(b"\n")):
            if place and self._line:
                self._end_line()
            if not self._readable:
                return
            if part and self._line is None:
                self._readable = part.startswith(b"{")
                self._line = JsonCopy(LINE, self._pause)
            if self._line:
                self._line.add(part)

    def answer(self) -> tuple[dict[str, Any], bool]:
        """{input_tokens, output_tokens, by_length} for app.fill_objects, in the shape of JsonCopy.answer."""
        if self._line and self._readable:
            self._end_line()
        if not self._readable or not self._in:
            return {}, False
        by_length = {"over": LONG, "short": self._short, "long": self._long}
        return {"input_tokens": self._in, "output_tokens": self._out, "by_length": by_length}, False

    def _end_line(self) -> None:
        line, self._line = self._line, None
        value, doubtful = line.answer()
        raw = as_object(as_object(value.get("response")).get("body")).get("usage")
        usage = sanitise(raw) or {}
        tokens_in = usage.get("input_tokens", usage.get("prompt_tokens", 0))
        tokens_out = usage.get("output_tokens", usage.get("completion_tokens", 0))
        counted = type(tokens_in) is type(tokens_out) is int and tokens_in > 0
        self._readable = bool(value) and not doubtful and (counted or raw is None)  # a request that failed has no usage
        if not counted:
            return
        self._in += tokens_in
        self._out += tokens_out
        if tokens_in > LONG:
            self._long.append(usage)
            self._readable = self._readable and len(self._long) <= MAX_LONG
        else:
            self._short = add(self._short, usage)
