"""Lets the other calls of a worker run while a large body or answer is read, or many rows are written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import gevent

SECONDS = 0.002  # longest time that one call keeps the worker for itself, plus the step under way
# Not 0: gevent looks for input and output only after 50 callbacks, and what sleeps for 0 seconds becomes a callback.
NAP_SECONDS = 0.0005

T = TypeVar("T")


class Pause:
    """Called between short steps of one call; gives way when SECONDS have passed."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._since >= SECONDS:
            gevent.sleep(NAP_SECONDS)
            self._since = time.monotonic()


def gently(rows: Iterable[T]) -> Iterator[T]:
    """The same rows, with a pause whenever handling them has taken too long."""
    pause = Pause()
    for row in rows:
        yield row
        pause()
