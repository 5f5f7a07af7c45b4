"""Parses HTTP/1.1 answers: the head, then a body framed by its length, by chunks, or by the end of the connection.

No I/O. An answer that two programs could parse differently is refused (Malformed), because a client of the gateway
might then see another answer than the one that was metered: folded headers, spaces before a colon, bare line feeds, two
lengths, a length together with chunks.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_HEAD = 65_536  # bytes: all heads of an answer together (1xx included); also all trailers of a body together
MAX_SIZE_LINE = 1024  # bytes: the line before a chunk, with its extensions
STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?\r\n")
FIELD = re.compile(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n]*)\r$", re.MULTILINE)
HEX, MAX_HEX = b"0123456789ABCDEFabcdef", 15  # digits of the size of a chunk, and how many at most
LENGTH = re.compile(r"[0-9]{1,18}")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")


class Malformed(Exception):
    """The bytes are not HTTP/1.1, or can be parsed in more than one way."""


class Head(NamedTuple):
    """Status line and headers, in order and with duplicates.

    fields: lower-case name → its first value; for Connection all values, separated by commas.
    """

    version: str  # the minor version: "0" or "1"
    status: int
    reason: str
    headers: list[tuple[str, str]]
    fields: dict[str, str]


def parse_head(data: bytes | bytearray) -> Head:
    """Parse a head, from its first byte up to and including the empty line. Raises Malformed."""
    text = data.decode("latin-1")
    start = STATUS_LINE.match(text)
    if not start:
        raise Malformed
    at = start.end()
    found = FIELD.findall(text, at)
    if text.count("\n", at) - 1 != len(found):  # a line is no field: folded, without a name, or ended by \n alone
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
    """Decodes a body: ``feed`` received bytes until it is ``done`` or ``broken`` (malformed).

    rest: bytes received after the end of the body.
    """

    endless = False  # whether the body ends with the connection

    def __init__(self) -> None:
        self.done = self.broken = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take received bytes; returns the content among them."""
        return data


class EndlessBody(AnswerBody):
    """A body that ends with the connection: every byte is content."""

    endless = True


class SizedBody(AnswerBody):
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.left = length
        self.done = not length

    def feed(self, data: bytes) -> bytes:
        """Take received bytes; returns the content among them."""
        if len(data) > self.left:
            data, self.rest = data[: self.left], data[self.left :]
        self.left -= len(data)
        self.done = not self.left
        return data


class ChunkedBody(AnswerBody):
    """A chunked body; chunk extensions and trailers are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._held = b""  # a line of which the end has not arrived
        self._left = 0  # bytes of the current chunk that have not arrived
        self._within = False  # inside of a chunk, or before the line break at its end
        self._trailers: int | None = None  # bytes of trailers so far; None before the last chunk

    def feed(self, data: bytes) -> bytes:
        """Take received bytes; returns the content of all chunks among them, joined."""
        at, pieces = 0, []
        if not (self._left or self._held or self._within) and self._trailers is None:
            pieces, at = _whole_chunks(data)  # as events of a stream nearly always come
        data = self._held + data if self._held else data
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
        """Process a line outside of the content: the end of a chunk, the size of the next one, or a trailer."""
        self.broken = not line.endswith(b"\r\n")
        line = line[:-2]
        if self._trailers is not None:
            self._trailers += len(line) + 2
            self.broken |= self._trailers > MAX_HEAD
            self.done = not line and not self.broken
        elif self._within:
            self.broken |= bool(line)  # the chunk is longer than its size
            self._within = False
        elif (size := SIZE.fullmatch(line)) and len(line) <= MAX_SIZE_LINE and not self.broken:
            self._left = int(size[1], 16)
            self._within = bool(self._left)
            self._trailers = None if self._left else 0
        else:
            self.broken = True


def _whole_chunks(data: bytes) -> tuple[list[bytes], int]:
    """The contents of whole chunks without extensions at the beginning of these bytes, and where they end."""
    pieces, at = [], 0
    while at < len(data):
        end = data.find(b"\r\n", at, at + MAX_HEX + 2)
        if end <= at or data[at:end].strip(HEX):
            break
        begin, stop = end + 2, end + 2 + int(data[at:end], 16)
        if stop == begin or data[stop : stop + 2] != b"\r\n":
            break
        pieces.append(data[begin:stop])
        at = stop + 2
    return pieces, at


def body_of(head: Head, method: str) -> AnswerBody:
    """The decoder for the body of an answer to a request with this method. Raises Malformed."""
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
    """Whether the server accepts another request on the same connection."""
    return head.version == "1" and "close" not in head.fields.get("connection", "").lower()
