"""HTTP/1.1 as a client reads it: the head of an answer, then its body by length, in chunks or to the end.

Bytes in, facts out; no sockets here. Strict: what could be read in two ways is no answer at all (Malformed), so nobody
behind us can read it differently. Folded headers, spaces before a colon, bare line feeds, two lengths, and a length
beside chunks are refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_HEAD = 65_536  # bytes of all heads of one answer together; of all trailers of one body
MAX_SIZE_LINE = 1024  # bytes of the line before a chunk, with its extensions
STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?\r\n")
FIELD = re.compile(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n]*)\r$", re.MULTILINE)
LENGTH = re.compile(r"[0-9]{1,18}")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")


class Malformed(Exception):
    """This is not HTTP/1.1, or could be read in more than one way."""


class Head(NamedTuple):
    """Status line and headers, duplicates in order; ``fields``: lower-case name → first value, all of Connection."""

    version: str  # the minor one
    status: int
    reason: str
    headers: list[tuple[str, str]]
    fields: dict[str, str]


def parse_head(data: bytes | bytearray) -> Head:
    """Read a head, from its first byte to the empty line."""
    text = data.decode("latin-1")
    start = STATUS_LINE.match(text)
    if not start:
        raise Malformed
    at = start.end()
    found = FIELD.findall(text, at)
    if text.count("\n", at) - 1 != len(found):  # a line that is no field: folded, without a name, ended by half
        raise Malformed
    headers = [(name, value.strip(" \t")) for name, value in found]
    fields: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in fields:
            fields[lower] = value
        elif lower == "connection":
            fields[lower] += f",{value}"
        elif lower in ("content-length", "transfer-encoding"):
            raise Malformed
    return Head(start[1], int(start[2]), start[3] or "", headers, fields)


class AnswerBody:
    """A body as it comes: ``feed`` bytes, get content, until ``done`` or ``broken``; ``rest`` came after its end."""

    endless = False  # whether only the end of the connection ends it

    def __init__(self) -> None:
        self.done = self.broken = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Everything is content, until the connection ends."""
        return data


class EndlessBody(AnswerBody):
    """A body without framing."""

    endless = True


class SizedBody(AnswerBody):
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.left = length
        self.done = not length

    def feed(self, data: bytes) -> bytes:
        """Take bytes; the content among them."""
        if len(data) > self.left:
            data, self.rest = data[: self.left], data[self.left :]
        self.left -= len(data)
        self.done = not self.left
        return data


class ChunkedBody(AnswerBody):
    """A body in chunks; extensions and trailers are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._held = b""  # a line that has not come whole yet
        self._left = 0  # bytes of the chunk that are still to come
        self._within = False  # inside a chunk, or before the line feed at its end
        self._trailers: int | None = None  # bytes of trailers so far, once the last chunk is over

    def feed(self, data: bytes) -> bytes:
        """Take bytes; the content among them, of all chunks together."""
        data = self._held + data if self._held else data
        at, pieces = 0, []
        while not (self.done or self.broken) and at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                break
            self._line(data[at : end + 1])
            at = end + 1
        if self.done:
            self._held, self.rest = b"", data[at:]
        else:
            self._held = data[at:]
            self.broken |= len(self._held) > (MAX_SIZE_LINE if self._trailers is None else MAX_HEAD)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _line(self, line: bytes) -> None:
        """A line between the chunks: the end of one, the size of the next, or a trailer."""
        self.broken = not line.endswith(b"\r\n")
        line = line[:-2]
        if self._trailers is not None:
            self._trailers += len(line) + 2
            self.broken |= self._trailers > MAX_HEAD
            self.done = not line and not self.broken
        elif self._within:
            self.broken |= bool(line)  # the chunk is longer than its size said
            self._within = False
        elif (size := SIZE.fullmatch(line)) and len(line) <= MAX_SIZE_LINE and not self.broken:
            self._left = int(size[1], 16)
            self._within = bool(self._left)
            self._trailers = None if self._left else 0
        else:
            self.broken = True


def body_of(head: Head, method: str) -> AnswerBody:
    """How the body of an answer to a request of this method is framed."""
    coding, length = head.fields.get("transfer-encoding"), head.fields.get("content-length")
    if coding is not None and (length is not None or coding.lower() != "chunked" or head.version == "0"):
        raise Malformed
    if length is not None and not LENGTH.fullmatch(length):
        raise Malformed
    if method == "HEAD" or head.status in (204, 304):
        return SizedBody(0)
    if coding:
        return ChunkedBody()
    return EndlessBody() if length is None else SizedBody(int(length))


def stays_open(head: Head) -> bool:
    """Whether the other side lets the connection be used for another request."""
    return head.version == "1" and "close" not in head.fields.get("connection", "").lower()
