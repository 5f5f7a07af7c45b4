"""gunicorn's gevent worker with fewer steps for each request, one write for head and body, and bounded idleness."""

from __future__ import annotations

import socket
import time
from functools import partial
from types import FrameType, TracebackType
from typing import Any

import gevent
from gevent.pool import Pool
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker

from webapp.server.requests import Plain, Reader
from webapp.server.response import Response
from webapp.server.shares import Share, SharingServer

KEPT_IDLE = 1000  # connections without a request that a worker keeps; beyond it the longest idle one goes


class Idle(BaseException):
    """The wait for the next request of a connection, thrown into it to end that. Known to the worker, which looks once
    a second whose time has run out: a timer for each request would cost more than the wait."""

    def __init__(self, seconds: float, waiting: dict[gevent.Greenlet, Idle]) -> None:
        self.until, self.waiting, self.over = time.monotonic() + seconds, waiting, False

    def __enter__(self) -> Idle:
        if len(self.waiting) >= KEPT_IDLE:
            end(*next(iter(self.waiting.items())))
        self.waiting[gevent.getcurrent()] = self
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> bool:
        self.over = True
        self.waiting.pop(gevent.getcurrent(), None)
        return value is self


def end(connection: gevent.Greenlet, idle: Idle) -> None:
    """End an idle connection as if its time had run out; unless a request comes first, which must not be disturbed."""

    def throw() -> None:
        if not idle.over:
            connection.throw(idle)

    idle.waiting.pop(connection, None)
    gevent.get_hub().loop.run_callback(throw)


def keep_settings(cfg: Config) -> None:
    """Make the settings plain attributes, as they no longer change once a worker has started.

    Read dozens of times for each request; gunicorn looks every one up in its table of settings.
    """
    vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})


class Worker(GeventWorker):
    """A browser left open would otherwise hold up every stop for ``keepalive`` seconds."""

    share: Share  # made by the master, see gunicorn.conf.py

    def init_process(self) -> None:
        self.waiting: dict[gevent.Greenlet, Idle] = {}
        self.quitting = False
        keep_settings(self.cfg)
        self.reader = RequestParser.mesg_class = Reader(self.cfg)
        super().init_process()

    def notify(self) -> None:
        """Once a second: say that we live, and end connections that were idle for too long."""
        super().notify()
        now = time.monotonic()
        for connection, idle in list(self.waiting.items()):
            if idle.until > now:  # the oldest are first
                break
            end(connection, idle)

    def server_class(self, listener: socket.socket, *, spawn: Pool, **options: Any) -> SharingServer:
        """What accepts connections; gunicorn passes what its other kinds of server want too."""
        tls = {name: value for name, value in options.items() if name == "ssl_context"}
        return SharingServer(self.share, listener, partial(self.handle, listener), spawn=spawn, **tls)

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        """Serve a connection until its end."""
        self.share.add(1)
        try:
            super().handle(listener, client, addr)
        finally:
            self.share.add(-1)

    def timeout_ctx(self) -> Idle:
        return Idle(self.cfg.keepalive if self.alive else 1, self.waiting)

    def handle_request(self, listener_name: Any, req: Plain | Request, sock: socket.socket, addr: Any) -> None:
        """gunicorn's own without hooks, access log and request limit. StopIteration ends the connection."""
        response = None
        try:
            response, environ = self._begin(req, sock, addr, listener_name)
            if not self.alive:
                response.force_close()
            body = self.wsgi(environ, response.start_response)
            try:
                if isinstance(body, wsgi.FileWrapper):
                    response.write_file(body)
                else:
                    for piece in body:
                        response.write(piece)
                response.close()
            finally:
                if hasattr(body, "close"):
                    body.close()
        except (gevent.GreenletExit, SystemExit):  # this worker ends
            raise StopIteration from None
        except OSError:
            raise
        except Exception:
            if not (response and response.headers_sent):
                raise
            self.log.exception("Error handling request")  # another answer behind half of one would spoil it
            raise StopIteration from None
        if response.should_close():
            raise StopIteration

    def _begin(
        self, req: Plain | Request, sock: socket.socket, addr: Any, server: Any
    ) -> tuple[Response, dict[str, Any]]:
        if isinstance(req, Plain):
            return Response(req, sock, self.cfg), req.environ(self.reader.base, addr, server)
        response, environ = wsgi.create(req, sock, addr, server, self.cfg, response_class=Response)
        return response, environ | {"wsgi.multithread": True}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: take no more requests, finish those under way, let idle connections go."""
        super().handle_exit(sig, frame)
        self.share.leave()
        for connection, idle in list(self.waiting.items()):
            end(connection, idle)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT: end now. Told again meanwhile (by the master, after us both): calls under way are being spooled."""
        if not self.quitting:
            self.quitting = True
            super().handle_quit(sig, frame)
