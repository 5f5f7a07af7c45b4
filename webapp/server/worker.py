"""gunicorn's gevent worker with our reading, writing and accepting, and control over idle connections.

What it gains, measured (`.venv/bin/python bench/server.py`): a trivial request through gunicorn's own gevent worker
takes 3.2 to 5.4 times the processor time. What each part gains stands in its docstring.
"""

from __future__ import annotations

import socket
from functools import partial
from types import FrameType, TracebackType
from typing import Any

import gevent
from gevent.pool import Pool
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker

from webapp.server.malformed import write_error
from webapp.server.peers import Limits, Peer, Peers
from webapp.server.requests import Plain, Reader, as_origin_form
from webapp.server.response import Response
from webapp.server.shares import Share, SharingServer
from webapp.server.upgrade import TAKEN_OVER, UNREAD

CLIENT = "spendai.client"  # in WSGI's environ: the Peer
KEPT_IDLE = 1000  # idle connections that a worker keeps; one more closes the connection that has been idle the longest


class Idle(gevent.Timeout):
    """The wait of one connection for its next request: gunicorn's timer, listed so that ``end`` can end the wait too.

    Each connection is served by a greenlet, which waits for bytes inside ``with Idle(…)``. ``__enter__`` lists the
    greenlet in ``waiting``, longest wait first; ``__exit__`` takes it out. When the time is over, gevent raises the
    Idle inside the greenlet; ``end`` does the same earlier. ``__exit__`` recognizes the exception as its own and stops
    it, so gunicorn sees no request and closes the connection.

    What it gains is behaviour: a worker closes all idle connections when it stops, and the one idle for the longest
    when there are more than KEPT_IDLE. Keeping the list costs too little to be measured
    (`.venv/bin/python bench/server.py`).
    """

    def __init__(self, seconds: float, waiting: dict[gevent.Greenlet, Idle]) -> None:
        super().__init__(seconds, False)
        self.waiting, self.over = waiting, False

    def __enter__(self) -> Idle:
        if len(self.waiting) >= KEPT_IDLE:
            end(*next(iter(self.waiting.items())))
        self.waiting[gevent.getcurrent()] = self
        return super().__enter__()

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> bool | None:
        self.over = True
        self.waiting.pop(gevent.getcurrent(), None)
        return super().__exit__(kind, value, trace)


def end(connection: gevent.Greenlet, idle: Idle) -> None:
    """Close an idle connection soon, unless its next request arrives first: then it is served, and nothing closed."""

    def throw() -> None:
        if not idle.over:
            connection.throw(idle)

    idle.waiting.pop(connection, None)
    gevent.get_hub().loop.run_callback(throw)  # the event loop switches greenlets; the caller must not be left


def keep_settings(cfg: Config) -> None:
    """Make the settings plain attributes of ``cfg``; they no longer change once a worker has started.

    gunicorn reads dozens of them for each request, each by a search in its table of settings. What this gains, measured
    (`.venv/bin/python bench/server.py`): with the table, a request that gunicorn's parser reads (see requests.py) takes
    1.1 to 1.4 times the processor time. For a plain request the difference cannot be measured.
    """
    vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})


class Worker(GeventWorker):
    """gunicorn's gevent worker with the overrides of this room.

    Behaviour that gunicorn's does not have: a stop closes idle connections at once (a browser left open would delay
    it by ``keepalive`` seconds), idle connections are limited in number, connections are spread evenly over workers,
    slow clients are given up (peers.py).
    """

    share: Share  # made by the master, as limits is: see gunicorn.conf.py
    limits = Limits()
    wind_down = staticmethod(lambda: None)  # called when the worker is told to stop

    def init_process(self) -> None:
        self.waiting: dict[gevent.Greenlet, Idle] = {}
        self.quitting = False
        keep_settings(self.cfg)
        self.peers = Peers(self.limits, self.worker_connections, self._give_up)
        self.reader = RequestParser.mesg_class = Reader(self.cfg, self.limits.head_seconds)
        util.write_error = write_error
        super().init_process()

    def server_class(self, listener: socket.socket, *, spawn: Pool, **options: Any) -> SharingServer:
        """The server that accepts connections. Of gunicorn's options, it uses only that of TLS."""
        tls = {name: value for name, value in options.items() if name == "ssl_context"}
        return SharingServer(self.share, listener, partial(self.handle, listener), spawn=spawn, **tls)

    def handle(self, listener: socket.socket, client: socket.socket, addr: Any) -> None:
        """Serve a connection until its end."""
        if peer := self.peers.join(client, addr):
            try:
                super().handle(listener, peer, addr)
            finally:
                self.peers.leave(peer)

    def _give_up(self, peer: Peer) -> bool:
        """Close a connection that waits for its client. Returns whether it does."""
        if idle := self.waiting.get(peer.greenlet):
            end(peer.greenlet, idle)
            return True
        return peer.end()

    def timeout_ctx(self) -> Idle:
        """The wait for the next request of a connection; a worker that stops waits a second at most."""
        return Idle(self.cfg.keepalive if self.alive else 1, self.waiting)

    def handle_request(self, listener_name: Any, req: Plain | Request, sock: Peer, addr: Any) -> None:
        """Let the application answer one request, written as ``Response`` does. StopIteration closes the connection.

        gunicorn's own method offers no way to put in ``Response`` and ``Plain``, whose gain stands in their modules.
        This method alone gains nothing that can be measured (`.venv/bin/python bench/server.py`). It leaves out
        gunicorn's hooks, access log and request limit, which SpendAI does not use, and closes the connection of a
        greenlet that is being stopped, where gunicorn's would go on to the next request.
        """
        response, sock.serving = None, True
        try:
            response, environ = self._begin(req, sock, addr, listener_name)
            if not self.alive:
                response.force_close()
            body = self.wsgi(environ, response.start_response)
            try:
                _write(response, body)
            finally:
                if hasattr(body, "close"):
                    body.close()
        except (gevent.GreenletExit, SystemExit):  # this worker is being stopped
            raise StopIteration from None
        except OSError:
            raise
        except Exception:
            if not (response and response.headers_sent):
                raise
            self.log.exception("Error handling request")  # part of the answer was sent: no error page may follow it
            raise StopIteration from None
        finally:
            sock.serving = sock.kept = False
        if response.should_close():
            raise StopIteration

    def _begin(self, req: Plain | Request, sock: Peer, addr: Any, server: Any) -> tuple[Response, dict[str, Any]]:
        """The response and WSGI's environ for a request."""
        if isinstance(req, Plain):
            response, environ = Response(req, sock, self.cfg), req.environ(self.reader.base, addr, server)
        else:
            response, environ = wsgi.create(req, sock, addr, server, self.cfg, response_class=Response)
            environ |= {"wsgi.multithread": True, UNREAD: req.unreader.buf.getvalue()}
            as_origin_form(environ)
        environ[CLIENT] = sock
        return response, environ

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: accept no more connections, finish requests under way, close idle connections."""
        super().handle_exit(sig, frame)
        self.share.leave()
        self.wind_down()
        self._end_idle()
        # Once more when the event loop goes on: the signal may have come after a connection had looked whether the
        # worker stops, but before it was listed as waiting. It would hold the worker up for as long as it may be idle.
        gevent.get_hub().loop.run_callback(self._end_idle)

    def _end_idle(self) -> None:
        for connection, idle in list(self.waiting.items()):
            end(connection, idle)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT: end now, spooling calls under way. The signal comes twice when it is sent to the whole process group
        (from the sender and from the master); the second must not interrupt the spooling.
        """
        if not self.quitting:
            self.quitting = True
            super().handle_quit(sig, frame)


def _write(response: Response, body: Any) -> None:
    """Send an answer. Raises StopIteration when the application has taken the connection over."""
    if body is TAKEN_OVER:
        raise StopIteration
    if isinstance(body, wsgi.FileWrapper):
        response.write_file(body)
    else:
        for piece in body:
            response.write(piece)
    response.close()
