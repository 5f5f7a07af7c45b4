"""Answers that are no event stream, and compressed streams: every byte passes, the last chunk after the commit.

Of JSON up to 64 KiB a copy is kept and decoded at the end. Larger JSON is read as it passes: only the members that
decide the price are kept (see selected.py). For an answer of 700 kB (embeddings) that takes 3 ms; json.loads of all of
it takes 16 ms, in which the worker serves no other call (`.venv/bin/python bench/metering.py` repeats the figures).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from webapp.metering.inflate import Inflater
from webapp.metering.scan import no_pause
from webapp.metering.selected import SMALL, Selection, Selector, select
from webapp.metering.sse import SseTee


class AnswerReader(Protocol):
    """Reads an answer of one kind, while its bytes pass."""

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""

    def answer(self) -> tuple[dict[str, Any], bool]:
        """What it says, and whether that is doubtful; asked once, at the end."""


class JsonCopy:
    """Reads a JSON answer of any size; `pause` lets other calls run between two steps of a large one."""

    def __init__(self, selection: Selection, pause: Callable[[], None] = no_pause) -> None:
        self._selection, self._pause = selection, pause
        self._copy = bytearray()
        self._selector: Selector | None = None

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""
        if self._selector:
            self._selector.feed(piece, self._pause)
            return
        if len(self._copy) + len(piece) <= SMALL:
            self._copy += piece
            return
        self._selector = Selector(self._selection)
        self._selector.feed(bytes(self._copy), self._pause)
        self._selector.feed(piece, self._pause)
        self._copy.clear()

    def answer(self) -> tuple[dict[str, Any], bool]:
        """The answer's object with at least the selected members, and whether one of them is doubtful."""
        if not self._selector:
            return select(bytes(self._copy), self._selection)
        self._selector.finish(self._pause)
        return self._selector.value, self._selector.doubtful


class PlainTee:
    """Passes each chunk when the next one comes, so that the last can wait for the commit.

    ``failure``: what the copying raised, if it did; the rest of the answer passes unread.
    """

    def __init__(self, copy: AnswerReader | None, inflater: Inflater | None) -> None:
        self.terminal = self.ended = False
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
        self.terminal = self.ended = True

    def release(self) -> bytes:
        """The last chunk; everything fed from now on passes."""
        self._released = True
        held, self._held = self._held, b""
        return held

    def _read(self, copy: AnswerReader, chunk: bytes) -> None:
        try:
            for piece in self._inflater.feed(chunk) if self._inflater else (chunk,):
                copy.add(piece)
        except Exception as error:  # a defect in reading an answer must not keep the client from getting it
            self.failure, self._copy = error, None


class InflatedSseTee:
    """A compressed event stream: an inflated copy is read; the chunk with the answer's end and all later ones wait."""

    def __init__(self, events: SseTee, inflater: Inflater) -> None:
        self.terminal = self.ended = False
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
        if not self.ended:
            return chunk
        self._held += chunk
        return b""

    def finish(self) -> None:
        """The stream is over."""
        self._events.finish()
        self.terminal = self.ended = True

    def release(self) -> bytes:
        """The bytes held back; everything fed from now on passes."""
        self._released = True
        held, self._held = bytes(self._held), bytearray()
        return held

    def _read(self, chunk: bytes) -> None:
        try:
            for piece in self._inflater.feed(chunk):
                self._events.feed(piece)
                self.terminal, self.ended = self._events.terminal, self._events.ended
                if self.terminal:
                    return
        except Exception as error:  # a defect in reading an answer must not keep the client from getting it
            self._failure = error
