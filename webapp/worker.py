"""gunicorn's gevent worker, which when told to stop does not wait for idle kept-alive connections."""

from __future__ import annotations

from types import FrameType, TracebackType

import gevent
from gunicorn.workers.ggevent import GeventWorker


class Idle(gevent.Timeout):
    """The wait for the next request of a connection; known to the worker, which may end it early."""

    def __init__(self, seconds: float, waiting: dict[gevent.Greenlet, Idle]) -> None:
        super().__init__(seconds, False)
        self.waiting = waiting

    def __enter__(self) -> Idle:
        self.waiting[gevent.getcurrent()] = self
        return super().__enter__()

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> bool | None:
        self.waiting.pop(gevent.getcurrent(), None)
        return super().__exit__(kind, value, trace)


class Worker(GeventWorker):
    """A browser left open would otherwise hold up every stop for ``keepalive`` seconds."""

    def init_process(self) -> None:
        self.waiting: dict[gevent.Greenlet, Idle] = {}
        self.quitting = False
        super().init_process()

    def timeout_ctx(self) -> Idle:
        return Idle(self.cfg.keepalive if self.alive else 1, self.waiting)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: take no more requests, finish those under way, let idle connections go."""
        super().handle_exit(sig, frame)
        for connection, idle in list(self.waiting.items()):
            connection.kill(idle, block=False)  # as if its time had run out

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT: end now. Told again meanwhile (by the master, after us both): calls under way are being spooled."""
        if not self.quitting:
            self.quitting = True
            super().handle_quit(sig, frame)
