"""Lets the other calls of a worker run while a large body or answer is read."""

from __future__ import annotations

import time

import gevent

SECONDS = 0.002  # longest time that one call keeps the worker for itself, plus the step under way


class Pause:
    """Called between short steps of one call; gives way when SECONDS have passed."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._since >= SECONDS:
            gevent.sleep(0)
            self._since = time.monotonic()
