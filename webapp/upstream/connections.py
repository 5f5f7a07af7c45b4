"""Connections to an upstream: opened, kept alive for the next call, thrown away when there is any doubt about them."""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from collections import deque
from functools import lru_cache
from math import inf
from urllib.parse import urlsplit

import certifi
import gevent
from gevent.monkey import get_original

from webapp.upstream.addresses import connect

IDLE_SECONDS = 30  # an idle connection older than this is not trusted any more
KEPT_IDLE = 512  # connections of one base URL
KEPT_ORIGINS = 256
CHUNK = 65536  # bytes read at a time
READ = 1  # of the event loop
RAW = re.compile(r"[!-~]*")  # what may stand in a request line or a Host header
poll = get_original("select", "poll")  # asked only for what is there already, so it never waits


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # a bare machine without certificates of its own
    return context


class Connection:
    """An open socket, and whether it is still fit for use."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.since = sock, 0.0
        self._poll = poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(sock.fileno(), READ)
        self._waiting: gevent.Greenlet | None = None
        self._timer, self._until, self._rings = None, 0.0, inf

    def readable(self) -> bool:
        """Whether there is something to read now: on an idle connection its end, most likely."""
        return bool(self._poll.poll(0))

    def receive(self, seconds: float) -> bytes:
        """Bytes that came, none at the end. Raises TimeoutError when nothing comes for so long.

        As a rule bytes are still to come, so it waits first; TLS keeps none back, its records are smaller than CHUNK.
        One timer serves all waits: it is set anew when it rings too early, and not for every event of a stream.
        """
        self._until = time.monotonic() + seconds
        if self._timer is None or self._until < self._rings:
            self._ring(seconds)
        self._waiting = gevent.getcurrent()
        try:
            self._hub.wait(self._watcher)
        finally:
            self._waiting = None
        return self.sock.recv(CHUNK)

    def _ring(self, seconds: float) -> None:
        self._silence()
        self._rings = time.monotonic() + seconds
        self._timer = self._hub.loop.timer(seconds, ref=False)
        self._timer.start(self._look)

    def _silence(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _look(self) -> None:
        """The timer rings: end the wait, if there is one and its time has run out."""
        self._silence()
        left = self._until - time.monotonic()
        if self._waiting is not None and left > 0:
            self._ring(left)
        elif self._waiting is not None:
            self._waiting.throw(TimeoutError())

    def close(self) -> None:
        """Close it for good. Safe to call twice."""
        self._silence()
        self._watcher.close()
        self.sock.close()


class Origin:
    """A base URL: one scheme, host and port with its idle connections, and the path before every target."""

    def __init__(self, base_url: str, connect_timeout: float) -> None:
        parts = urlsplit(base_url)
        self.netloc, self.path = parts.netloc, parts.path
        if not (RAW.fullmatch(self.netloc) and RAW.fullmatch(self.path)):
            raise ValueError("a base URL with characters that must be encoded")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._tls else 80)
        self._timeout = connect_timeout
        self._idle: deque[Connection] = deque()
        self._dropped = False
        self.used = 0.0  # when it was last asked for, by time.monotonic()
        self._session: ssl.SSLSession | None = None  # lets the next connection do without a full handshake

    def connection(self) -> Connection:
        """An open connection, kept or new. Raises OSError; ForbiddenAddress among them."""
        while self._idle:
            conn = self._idle.pop()  # the newest: the others may grow old and go
            if time.monotonic() - conn.since < IDLE_SECONDS and not conn.readable():
                return conn
            conn.close()
        sock = connect(self._host, self._port, self._timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Connection(self._wrapped(sock) if self._tls else sock)
        except BaseException:
            sock.close()
            raise

    def _wrapped(self, sock: socket.socket) -> ssl.SSLSocket:
        return _tls().wrap_socket(sock, server_hostname=self._host, session=self._session)

    def take_back(self, conn: Connection) -> None:
        """Keep a connection for the next call; those of an earlier rush go, one by one."""
        conn.since = time.monotonic()
        if self._idle and conn.since - self._idle[0].since > IDLE_SECONDS:
            self._idle.popleft().close()
        if self._dropped or len(self._idle) >= KEPT_IDLE:
            conn.close()
            return
        if self._tls:
            self._session = conn.sock.session
        self._idle.append(conn)

    def drop(self) -> None:
        """Close the idle connections, and those of calls under way when they end."""
        self._dropped = True
        while self._idle:
            self._idle.pop().close()


class Origins:
    """The base URLs in use: at most KEPT_ORIGINS, and none that has not been called for IDLE_SECONDS."""

    def __init__(self, connect_timeout: float) -> None:
        self._timeout = connect_timeout
        self._by_url: dict[str, Origin] = {}  # the one used last at the end

    def get(self, base_url: str) -> Origin:
        """The origin of a base URL, known or new. Raises ValueError."""
        origin = self._by_url.pop(base_url, None) or Origin(base_url, self._timeout)
        self._by_url[base_url] = origin
        origin.used = time.monotonic()
        url, oldest = next(iter(self._by_url.items()))
        if oldest is not origin and (len(self._by_url) > KEPT_ORIGINS or origin.used - oldest.used > IDLE_SECONDS):
            self._by_url.pop(url).drop()  # one for each call is enough: no call adds more
        return origin
