"""Upstreams that refuse to be asked for usage: how an answer says so, and which upstreams are remembered.

SpendAI asks for the usage of a streamed completion with `stream_options`, a field that some servers refuse. A call that
works without SpendAI must work with it too, so forward.py sends such a call again as the client wrote it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from webapp.metering.inflate import Inflater
from webapp.upstream.client import Answer, Interrupted

STATUSES = (400, 422)  # with which servers refuse a field they do not know
NAMED = re.compile(rb"stream_?options|include_?usage", re.IGNORECASE)
READ_BYTES = 65_536  # of an error, in which the name is looked for
FOR_SECONDS = 600
KEPT = 4096

Upstream = tuple[str, str, str | None]  # the id of an organization, a base URL, a model


class Refusers:
    """The upstreams that refused lately.

    By organization, because an answer that one organization got must not decide how the calls of another are metered.
    By model, because one base URL may lead to many servers. At most KEPT, in the memory of one worker.
    """

    def __init__(self) -> None:
        self._until: dict[Upstream, float] = {}  # by time.monotonic(); the oldest first

    def __contains__(self, upstream: Upstream) -> bool:
        return self._until.get(upstream, 0.0) > time.monotonic()

    def add(self, upstream: Upstream) -> None:
        """Remember this upstream for FOR_SECONDS."""
        self._until.pop(upstream, None)
        self._until[upstream] = time.monotonic() + FOR_SECONDS
        if len(self._until) > KEPT:
            del self._until[next(iter(self._until))]


def refuses_usage(answer: Answer) -> bool:
    """Whether an answer refuses the field that asks for usage. Its `chunks` still yield all of its body."""
    if answer.status not in STATUSES:
        return False
    pieces, failure, size = [], None, 0
    rest = answer.chunks
    try:
        for piece in rest:
            pieces.append(piece)
            size += len(piece)
            if size >= READ_BYTES:
                break
    except Interrupted as interrupted:
        failure = interrupted
    answer.chunks = _again(pieces, rest, failure)
    return NAMED.search(_plain(b"".join(pieces), answer.header("content-encoding"))) is not None


def _again(pieces: list[bytes], rest: Iterator[bytes], failure: Interrupted | None) -> Iterator[bytes]:
    yield from pieces
    if failure:
        raise failure
    yield from rest


def _plain(body: bytes, encoding: str) -> bytes:
    encoding = encoding.strip().lower()
    return next(Inflater(encoding).feed(body), b"") if Inflater.can(encoding) else body
