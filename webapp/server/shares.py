"""Even shares of connections: a worker that has clearly more than another leaves the next one to it, for a moment.

All workers wait at one socket, and whoever is at hand accepts; connections then stay for long. Left to chance one of
two workers easily has twice as many as the other, and its callers wait while a processor is idle.
"""

from __future__ import annotations

import mmap

from gevent.server import StreamServer

WORKERS = 64  # beyond it a worker accepts as it likes
FREE, LEFT = -1, -2
SLACK = 2  # connections that it may have more
PATIENCE = 0.003  # seconds that a worker with more leaves a connection to the others; then it takes it
counts = memoryview(mmap.mmap(-1, 4 * WORKERS)).cast("i")  # connections of each worker; seen by all that are forked
for _place in range(WORKERS):
    counts[_place] = FREE


class Share:
    """The connections of one worker; made by the master before it forks."""

    def __init__(self) -> None:
        self._place = next((place for place in range(WORKERS) if counts[place] == FREE), None)
        if self._place is not None:
            counts[self._place] = 0

    def add(self, change: int) -> None:
        """A connection came (1) or went (-1)."""
        if self._place is not None:
            counts[self._place] += change

    def leave(self) -> None:
        """The worker takes no more connections; its place is free once the master says so."""
        if self._place is not None:
            counts[self._place], self._place = LEFT, None

    def free(self) -> None:
        """The worker is gone, says the master."""
        if self._place is not None:
            counts[self._place], self._place = FREE, None

    @property
    def ample(self) -> bool:
        """Whether another worker has clearly fewer."""
        return self._place is not None and any(0 <= count < counts[self._place] - SLACK for count in counts)


class SharingServer(StreamServer):
    """A server whose connections keep to a share."""

    max_accept = 1

    def __init__(self, share: Share, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._share, self._waited = share, False

    def _do_read(self) -> None:
        if self._share.ample and not self._waited:
            self._waited = True
            self.stop_accepting()
            self._timer = self.loop.timer(PATIENCE)
            self._timer.start(self._start_accepting_if_started)
        else:
            self._waited = False
            super()._do_read()
