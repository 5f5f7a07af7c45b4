"""Connections spread evenly over the workers: a worker that holds clearly more than another accepts a little later.

All workers wait on one listening socket, and whichever wakes up first accepts a new connection. Clients keep
connections open for long, so an uneven start stays uneven: callers of the fuller worker wait while another processor
is idle.

How it works: every worker counts its connections in memory that all workers share. A worker about to accept compares
the counts. If it has at least SLACK + 1 more than another worker, it stops listening for PATIENCE seconds, so that
the others can accept first, then accepts one connection and compares again. Behind a worker that hangs with fewer
connections, each one that waits therefore takes 3 ms.

What it gains, measured (`.venv/bin/python bench/server.py`, second table): when 16 connections come one
by one, the fuller of two workers gets 8 to 11 of them, with gevent's own server 8 to 16. Processor time does not differ
measurably.
"""

from __future__ import annotations

import mmap
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from gevent.server import StreamServer

WORKERS = 64  # places in ``counts``; a worker without a place accepts at once
FREE, LEFT = -1, -2  # values of a place: no worker has it; its worker no longer accepts but has not ended yet
SLACK = 2  # connections that a worker may hold more than another before it accepts later
PATIENCE = 0.003  # seconds for which a worker with more connections stops listening
# Connections accepted in one turn of the event loop. With one, as gunicorn has it, a worker whose turns take 30 ms,
# because it passes on thousands of streams, accepts no more than 30 in a second.
MOST = 64
counts = memoryview(mmap.mmap(-1, 4 * WORKERS)).cast("i")  # connections of each worker; shared by forked processes
for _place in range(WORKERS):
    counts[_place] = FREE


class Share:
    """One worker's place in ``counts``; made by the master before it forks, so that the master can free it again."""

    def __init__(self) -> None:
        self._place = next((place for place in range(WORKERS) if counts[place] == FREE), None)
        if self._place is not None:
            counts[self._place] = 0

    def add(self, change: int) -> None:
        """Count a connection that was accepted (1) or closed (-1)."""
        if self._place is not None:
            counts[self._place] += change

    def leave(self) -> None:
        """Called in a worker that stops accepting: it no longer counts in comparisons; the master frees its place."""
        if self._place is not None:
            counts[self._place], self._place = LEFT, None

    def free(self) -> None:
        """Called in the master when the worker's process has ended: another worker may get its place."""
        if self._place is not None:
            counts[self._place], self._place = FREE, None

    @property
    def larger(self) -> bool:
        """Whether another worker holds fewer connections by more than SLACK."""
        return self._place is not None and any(0 <= count < counts[self._place] - SLACK for count in counts)


class SharingServer(StreamServer):
    """gevent's server, which accepts ``PATIENCE`` seconds later while its worker's share is larger than another's.

    ``_do_read``, ``_handle``, ``_timer`` and ``_start_accepting_if_started`` are gevent's: ``_do_read`` runs when the
    listening socket has a connection, and a timer like ours already delays accepting there after an error.
    """

    max_accept = 1  # for each call of gevent's ``_do_read``, so that the counts are compared before each connection

    def __init__(self, share: Share, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._share, self._waited, self._got = share, False, False

    def do_read(self) -> Any:
        """gevent's: the next connection, which is counted at once, or None."""
        found = super().do_read()
        self._got = found is not None
        self._share.add(int(self._got))
        return found

    def init_socket(self) -> None:
        """gevent's; it decides whether the handshake of TLS comes before ``handle``. Both are counted to their end."""
        super().init_socket()
        self._handle = partial(self._counted, self._handle)

    def _counted(self, serve: Callable[..., None], client: socket.socket, address: Any) -> None:
        try:
            serve(client, address)
        finally:
            self._share.add(-1)

    def _do_read(self) -> None:
        for _ in range(MOST):
            if self._share.larger and not self._waited:
                self._waited = True
                self.stop_accepting()
                self._timer = self.loop.timer(PATIENCE)
                self._timer.start(self._start_accepting_if_started)
                return
            self._waited = self._got = False
            super()._do_read()
            if not self._got:
                return
