"""JSON of any size, read in one pass as its bytes come: bounded memory, short steps, linear time.

The standard library's decoder builds the whole document at once: 64 MB of JSON may take 7 GB, and no other call of the
worker runs meanwhile. A `Scanner` is fed PIECE bytes at a time and keeps of them only what its subclass asks for
(answers: selected.py, requests: large.py). Between two steps it calls `pause`, so that other calls run.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Generator
from json.decoder import scanstring
from typing import Any

PIECE = 8192  # bytes read in one step
KEPT_CHARS = 4096  # kept of a string that is longer than a step
BREAK = True  # what a subclass yields between short steps; None: it needs more text

_SPACE = re.compile(r"[ \t\n\r]*")
_CUT = re.compile(r"(?:\.|[eE][+-]?)?")
_BOM = "\ufeff"
Reading = Generator[bool | None, None, Any]


def no_pause() -> None:
    """For callers that need not let others run."""


class Scanner:
    """Base class: `feed` it the bytes, then `finish`. `failed`: they are no JSON document that could be read.

    A subclass reads the document in `_document`, a generator: it looks at `_text` from `_at` on and yields where more
    text is needed. `strict`: bytes must be UTF-8, and strings have no control characters.
    """

    def __init__(self, *, strict: bool) -> None:
        self.failed = False
        self._strict, self._ended, self._pending = strict, False, b""
        self._decode = codecs.getincrementaldecoder("utf-8")("strict" if strict else "replace").decode
        self._text, self._at = "", 0
        self._before = 0  # if strict: bytes of the document that stand before _text
        self._reading = self._whole()

    def feed(self, data: bytes, pause: Callable[[], None] = no_pause) -> None:
        """Read on; `pause` is called after every step."""
        if self.failed:
            return
        data = self._pending + data if self._pending else data
        if len(data) < PIECE:
            self._pending = data
            return
        self._pending, view = b"", memoryview(data)
        for at in range(0, len(data), PIECE):
            self._step(view[at : at + PIECE], pause)
            pause()

    def finish(self, pause: Callable[[], None] = no_pause) -> None:
        """The document is over."""
        self._ended = True
        self._step(memoryview(self._pending), pause)
        self._pending = b""

    def _step(self, piece: memoryview, pause: Callable[[], None]) -> None:
        if self.failed:
            return
        try:
            if self._strict:
                self._before += len(self._text[: self._at].encode())
            self._text, self._at = self._text[self._at :] + self._decode(piece, self._ended), 0
            while next(self._reading):
                pause()
        except StopIteration:
            pass
        except (ValueError, RecursionError):  # invalid, cut off, too deep, or too much for the subclass
            self.failed, self._text = True, ""

    def _document(self) -> Reading:
        raise NotImplementedError

    def _whole(self) -> Reading:
        while not self._text:
            yield from self._more()
        self._at = len(_BOM) if self._text.startswith(_BOM) else 0
        yield from self._document()
        while self._skip_space() == len(self._text):
            if self._ended:
                return
            yield None
        raise ValueError("text after the document")

    def _more(self) -> Reading:
        """Wait for the next piece of text."""
        if self._ended:
            raise ValueError("the document is cut off")
        yield None

    def _fill(self, chars: int) -> Reading:
        """Wait until so many characters are there, or the last one."""
        while len(self._text) - self._at < chars and not self._ended:
            yield None

    def _skip_space(self) -> int:
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches "" too
        return self._at

    def _peek(self) -> Reading:
        """The next character that is no white space."""
        while self._skip_space() == len(self._text):
            yield from self._more()
        return self._text[self._at]

    def _key(self) -> Reading:
        """The key of a member, and the colon after it."""
        if (yield from self._peek()) != '"':
            raise ValueError("a key is missing")
        self._at += 1
        key, length = yield from self._string()
        if length > len(key) or (yield from self._peek()) != ":":
            raise ValueError("no usable key")
        self._at += 1
        return key

    def _string(self) -> Reading:
        """The string whose opening quote was just passed: its first KEPT_CHARS, and its length in characters."""
        kept, length, high = "", 0, False
        while True:
            try:
                value, end = scanstring(self._text, self._at, self._strict)
                closed = True
            except ValueError:  # it goes on in the next piece, or is invalid: then so is the part of it that is here
                end = _before_escape(self._text, self._at)
                value, _ = scanstring(self._text[self._at : end] + '"', 0, self._strict)
                closed = False
            # An escaped pair of surrogates that was cut in two is one character.
            pair = high and "\udc00" <= value[:1] <= "\udfff"
            length += len(value) - pair
            high = "\ud800" <= value[-1:] <= "\udbff" if value else high
            if len(kept) < KEPT_CHARS:
                kept += value[: KEPT_CHARS - len(kept)]
                kept = _joined(kept) if pair else kept
            self._at = end
            if closed:
                return kept, length
            yield from self._more()


def may_go_on(text: str, end: int) -> bool:
    """Whether a value that was decoded up to `end` may go on in the next piece: it ends with the text, or is the first
    part of a number that is cut in two there, such as 12. or 2e+ (which would be decoded as 12 and 2)."""
    return _CUT.fullmatch(text, end) is not None


def _joined(text: str) -> str:
    """The text with each pair of surrogates as the one character that it stands for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _before_escape(text: str, at: int) -> int:
    """The end of `text`, or the place of an escape sequence that is cut off there, in a string that goes on at `at`."""
    last = text.rfind("\\", max(at, len(text) - 6))
    if last < 0:
        return len(text)
    slashes = last + 1 - at - len(text[at : last + 1].rstrip("\\"))
    cut_off = last + 1 == len(text) or (text[last + 1] == "u" and len(text) - last < 6)
    return last if slashes % 2 and cut_off else len(text)
