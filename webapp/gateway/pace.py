"""How long a worker that is behind leaves running streams unread.

Each event of a stream costs a worker about the same, however small it is. A worker with more events than it can pass on
would let every client wait, those of new calls longest: a call needs about eight turns of the event loop before its
first token, and each turn serves all streams. So a worker that is behind leaves streams that have run for a while
unread for a moment, and then passes on several of their events at once.
"""

from __future__ import annotations

import time
from collections import deque

import gevent

STEP = 0.05  # seconds between two looks at the clock
FREE = 0.002  # seconds that the event loop may be late before streams have to wait
FACTOR, MOST = 250, 0.3  # a stream waits FACTOR times the seconds above FREE, but MOST seconds at most
# Of so many looks in a row only the least late counts: one slow request of a page is not a worker that is behind.
LOOKS = 3
# With each look the wait becomes shorter by so many seconds at most: a worker that has caught up only because streams
# waited would soon be behind again if they stopped waiting at once.
FALL = 0.005
# Only streams whose first byte came so long ago wait, and only after small pieces: those of large images come at once.
OLD_SECONDS, SMALL = 0.25, 4096


class Pace:
    """``seconds``: how long a running stream is to be left unread now; 0 while the worker keeps up."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._late = deque([0.0] * LOOKS, LOOKS)

    def start(self) -> None:
        """Watch the event loop of this worker from now on."""
        gevent.spawn(self._watch)

    def _watch(self) -> None:
        while True:
            due = time.monotonic() + STEP
            gevent.sleep(STEP)
            self.note(time.monotonic() - due)

    def note(self, late: float) -> None:
        """The event loop was so many seconds late."""
        self._late.append(late)
        wanted = min(MOST, (min(self._late) - FREE) * FACTOR)
        self.seconds = max(0.0, wanted, self.seconds - FALL)

    def wait(self, age: float, size: int) -> None:
        """Leave a stream unread for a moment, unless it is young or brings much.

        age: seconds since its first byte; size: bytes of its last piece.
        """
        if age > OLD_SECONDS and size < SMALL:
            gevent.sleep(self.seconds)
