"""Answers that are no event stream, and compressed streams: every byte passes, the last chunk after the commit.

Of JSON a bounded copy is kept and read at the end. Of long lists of numbers (embeddings) only the two ends are read.
For an answer of 700 kB that takes 1 ms; json.loads of all of it takes 16 ms, in which the worker serves no other call
(`.venv/bin/python bench/metering.py` repeats the figures).
"""

from __future__ import annotations

from typing import Any

from webapp.metering.inflate import Inflater
from webapp.metering.jsonwalk import as_objects, last_value, parse
from webapp.metering.sse import SseTee

MAX_COPY_BYTES = 16 * 1024 * 1024
HEAD_BYTES = 65_536
TAIL_BYTES = 1024 * 1024
_BY_ITEMS = ("file_search", "code_interpreter", "shell")
_WORTH_READING = ("object", "id", "model", "service_tier", "status", "usage", "tool_usage", "tools", "svg_usage")


class JsonCopy:
    """A bounded copy of a JSON answer: whole up to 16 MiB, of a larger one the beginning and the end."""

    def __init__(self) -> None:
        self._copy = bytearray()
        self._tail: bytearray | None = None

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""
        if self._tail is None:
            self._copy += piece
            if len(self._copy) > MAX_COPY_BYTES:
                self._tail = self._copy[-TAIL_BYTES:]
                del self._copy[HEAD_BYTES:]
        else:
            self._tail += piece
            if len(self._tail) > 2 * TAIL_BYTES:
                del self._tail[:-TAIL_BYTES]

    def answer(self, *, lists_only: bool) -> dict[str, Any]:
        """The answer's object; only the members that matter when it is too large, or one long list (`lists_only`)."""
        if self._tail is not None:
            return _edges(self._copy, self._tail)
        if lists_only and len(self._copy) > HEAD_BYTES:
            return _edges(self._copy[:HEAD_BYTES], self._copy[-HEAD_BYTES:])
        return parse(bytes(self._copy))


def _edges(head: bytearray, tail: bytearray) -> dict[str, Any]:
    """Members found at the end of an answer, else at its beginning.

    A response without `tool_usage` in these two parts, or with tools that only its items tell about, may have made
    billed calls in the part that was not read: its usage is dropped, so that its cost is unknown rather than too low.
    """
    begin, end = head.decode(errors="replace"), tail.decode(errors="replace")
    found = {key: last_value(end, key) for key in _WORTH_READING}
    found = {key: last_value(begin, key) if value is None else value for key, value in found.items()}
    if found["svg_usage"]:
        found["model"] = None  # the last one is the model that wrote the SVG image
    if str(found["id"]).startswith("resp_") and (not found["tool_usage"] or _told_by_items(found["tools"])):
        found["usage"] = None
    return found


def _told_by_items(tools: Any) -> bool:
    """Whether a response has tools whose calls `tool_usage` does not count: files, containers, SVG images."""
    return any(tool.get("type") in _BY_ITEMS or tool.get("output_format") == "svg" for tool in as_objects(tools))


class PlainTee:
    """Passes each chunk when the next one comes, so that the last can wait for the commit.

    ``failure``: what the copying raised, if it did; the rest of the answer passes unread.
    """

    def __init__(self, copy: JsonCopy | None, inflater: Inflater | None) -> None:
        self.terminal = False
        self.failure: Exception | None = None
        self._copy, self._inflater = copy, inflater
        self._held = b""
        self._released = False

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; returns the one before it."""
        if self._released or not chunk:
            return chunk
        if self._copy:
            self._read(self._copy, chunk)
        before, self._held = self._held, chunk
        return before

    def finish(self) -> None:
        """The answer is over."""
        self.terminal = True

    def release(self) -> bytes:
        """The last chunk; everything fed from now on passes."""
        self._released = True
        held, self._held = self._held, b""
        return held

    def _read(self, copy: JsonCopy, chunk: bytes) -> None:
        try:
            for piece in self._inflater.feed(chunk) if self._inflater else (chunk,):
                copy.add(piece)
        except Exception as error:  # a defect in reading an answer must not keep the client from getting it
            self.failure, self._copy = error, None


class InflatedSseTee:
    """A compressed event stream: an inflated copy is read; the chunk with the answer's end and all later ones wait."""

    def __init__(self, events: SseTee, inflater: Inflater) -> None:
        self.terminal = False
        self._failure: Exception | None = None
        self._events, self._inflater = events, inflater
        self._held = bytearray()
        self._released = False

    @property
    def failure(self) -> Exception | None:
        """What the reading raised, if it did; the rest of the answer passes unread."""
        return self._failure or self._events.failure

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; returns it, or nothing from the end of the answer on."""
        if self._released:
            return chunk
        if not self.terminal and not self.failure:
            self._read(chunk)
        if not self.terminal:
            return chunk
        self._held += chunk
        return b""

    def finish(self) -> None:
        """The stream is over."""
        self._events.finish()
        self.terminal = True

    def release(self) -> bytes:
        """The bytes held back; everything fed from now on passes."""
        self._released = True
        held, self._held = bytes(self._held), bytearray()
        return held

    def _read(self, chunk: bytes) -> None:
        try:
            for piece in self._inflater.feed(chunk):
                self._events.feed(piece)
                if self._events.terminal:
                    self.terminal = True
                    return
        except Exception as error:  # a defect in reading an answer must not keep the client from getting it
            self._failure = error
