"""The output file of a batch, read while a client downloads it: what each of its requests used.

A long context costs more for each token, request by request. OpenAI reports only a batch's total, from which a large
batch cannot be priced. A line of the file is one request with OpenAI's whole answer; only its usage is kept.
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
# Input tokens: a request with no more has no long context. Where a price says otherwise, app.price_batch gives no cost.
LONG = 128_000
MAX_KEPT_CHARS = 524_288  # of the usage of longer requests together, about 2,000; with more the file tells nothing
LINE: Selection = {"response": {"body": {"usage": EVERY}}}


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
        """{input_tokens, output_tokens, by_length} for app.fill_batch, or {}, and False: never doubtful."""
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
            self._room -= len(repr(usage))
            self._readable = self._readable and self._room >= 0
        else:
            self._short = add(self._short, usage)
