"""Connections to an upstream: opened, kept for the next call, closed when they may be broken."""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import sys
import time
from collections import deque
from functools import lru_cache
from math import inf
from typing import ClassVar
from urllib.parse import urlsplit
from weakref import WeakSet

import certifi
import gevent
from gevent.monkey import get_original

from webapp.upstream.addresses import connect

IDLE_SECONDS = 30  # a connection that was idle for longer is closed instead of used
KEPT_IDLE = 512  # idle connections of one base URL
KEPT_ORIGINS = 256  # base URLs
CHUNK = 65536  # bytes read at a time
AWAY = 0.02  # seconds: a caller that comes back for more after so long probably finds bytes waiting
ACKED_AT = 120  # place of `tcpi_bytes_acked` in Linux's `struct tcp_info`
READ = 1  # gevent's name for the event that a descriptor is readable
# Seconds without a byte until TCP asks whether the other side is still there, and between one such probe and the next.
# A cloud's NAT forgets a connection that is silent for 4 to 10 minutes, and a model may think for longer than that
# before the first byte of its answer.
PROBE_SECONDS = 60
PROBES = 5  # the connection is broken after so many without an answer
RAW = re.compile(r"[!-~]*")  # characters allowed in a request line and a Host header
poll = get_original("select", "poll")  # not gevent's: always called with time-out 0, so it never blocks


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # the machine has no certificate store
    return context


def _keep_alive(sock: socket.socket) -> None:
    """Let TCP probe the connection while it is silent; where the system has no such option, at its own intervals."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", PROBE_SECONDS), ("TCP_KEEPINTVL", PROBE_SECONDS), ("TCP_KEEPCNT", PROBES)):
        if option := getattr(socket, name, None):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


class Connection:
    """An open socket. ``since``: when it became idle, by time.monotonic(); 0 before its first answer."""

    alive: ClassVar[WeakSet[Connection]] = WeakSet()  # the open ones of this process

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.since = sock, 0.0
        self._acked_before: int | None = None  # bytes acknowledged when the connection was taken for the current call
        self._poll = poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(sock.fileno(), READ)
        self._waiting: gevent.Greenlet | None = None
        self._timer, self._deadline, self._fires = None, 0.0, inf
        self._received = inf  # when bytes were received last for the current call
        self.alive.add(self)

    def readable(self) -> bool:
        """Whether there is something to read now. An idle connection that is readable was closed or is broken."""
        return bool(self._poll.poll(0))

    def reuse(self) -> None:
        """The idle connection is taken for another call."""
        self._acked_before, self._received = _acknowledged(self.sock), inf

    def untouched(self) -> bool:
        """Whether the server's TCP has acknowledged no byte of the current call, on a connection that was idle before.

        False also where the system does not tell. See client.py for what follows from it.
        """
        return self._acked_before is not None and _acknowledged(self.sock) == self._acked_before

    def receive(self, seconds: float, deadline: float = inf) -> bytes:
        """The next bytes, b"" at the end of the connection. Raises TimeoutError after so many seconds without a byte.

        deadline: the moment by time.monotonic() at which it raises TimeoutError at the latest.

        It waits before it reads, since usually nothing has arrived yet; not where its caller was away and something
        has. That is safe with TLS too: a record is smaller than CHUNK, so no decrypted bytes remain inside the TLS
        object. Starting a timer for every event of a stream would be expensive: one timer is kept, and started again
        only when it fires before the current deadline.
        """
        now = time.monotonic()
        if deadline <= now:
            raise TimeoutError
        if now - self._received > AWAY and self.readable():  # one turn of the event loop less
            return self._receive()
        self._deadline = min(now + seconds, deadline)
        if self._timer is None or self._deadline < self._fires:
            self._start_timer(self._deadline - now)
        self._waiting = gevent.getcurrent()
        try:
            self._hub.wait(self._watcher)
        finally:
            self._waiting = None
        return self._receive()

    def _receive(self) -> bytes:
        data = self.sock.recv(CHUNK)
        self._received = time.monotonic()
        return data

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._fires = time.monotonic() + seconds
        self._timer = self._hub.loop.timer(seconds, ref=False)
        self._timer.start(self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _on_timer(self) -> None:
        """The timer has fired: raise TimeoutError in the waiting greenlet if its deadline has passed."""
        self._stop_timer()
        left = self._deadline - time.monotonic()
        if self._waiting is not None and left > 0:
            self._start_timer(left)
        elif self._waiting is not None:
            self._waiting.throw(TimeoutError())

    def close(self) -> None:
        """Close the socket, its watcher and its timer. Idempotent."""
        self._stop_timer()
        self._watcher.close()
        self.sock.close()
        self.alive.discard(self)


def _acknowledged(sock: socket.socket) -> int | None:
    """How many bytes the peer's TCP has acknowledged on this connection; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ACKED_AT + 8)
        return struct.unpack_from("=Q", info, ACKED_AT)[0]
    except (OSError, struct.error):  # closed, or a kernel before 4.1
        return None


class Origin:
    """A base URL: its scheme, host and port with their idle connections, and the path before every target.

    private: whether it may lead to loopback and private addresses.
    """

    def __init__(self, base_url: str, connect_timeout: float, *, private: bool = True) -> None:
        parts = urlsplit(base_url)
        self.netloc, self.path = parts.netloc, parts.path
        if not (RAW.fullmatch(self.netloc) and RAW.fullmatch(self.path)):
            raise ValueError("a base URL with characters that must be encoded")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._tls else 80)
        self._timeout, self._private = connect_timeout, private
        self._idle: deque[Connection] = deque()
        self._dropped = False
        self.used = 0.0  # when it was last asked for, by time.monotonic()
        self._session: ssl.SSLSession | None = None  # of the last connection: saves the next one a full handshake

    def connection(self) -> Connection:
        """An idle connection that still works, or a new one. Raises OSError, of which ForbiddenAddress is one."""
        while self._idle:
            conn = self._idle.pop()  # the newest, so that connections which are not needed reach IDLE_SECONDS
            if time.monotonic() - conn.since < IDLE_SECONDS and not conn.readable():
                conn.reuse()
                return conn
            conn.close()
        return self.opened()

    def opened(self) -> Connection:
        """A new connection. Raises OSError, of which ForbiddenAddress is one."""
        return Connection(self.new_socket())

    def new_socket(self) -> socket.socket:
        """A socket that is connected, with TLS for https. Raises as ``opened``."""
        sock = connect(self._host, self._port, self._timeout, private=self._private)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(sock)
            return self._wrapped(sock) if self._tls else sock
        except BaseException:
            sock.close()
            raise

    def _wrapped(self, sock: socket.socket) -> ssl.SSLSocket:
        return _tls().wrap_socket(sock, server_hostname=self._host, session=self._session)

    def take_back(self, conn: Connection) -> None:
        """Keep a connection for the next call. Each time, at most one connection older than IDLE_SECONDS is closed."""
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
        """Close the idle connections now, and those of running calls when the calls end."""
        self._dropped = True
        while self._idle:
            self._idle.pop().close()


class Origins:
    """The base URLs in use, at most KEPT_ORIGINS. Each call drops at most one that was not called for IDLE_SECONDS.

    only_private: the one base URL that may lead to loopback and private addresses; None: all may.
    """

    def __init__(self, connect_timeout: float, only_private: str | None = None) -> None:
        self._timeout, self._only_private = connect_timeout, only_private
        self._by_url: dict[str, Origin] = {}  # the one used last at the end

    def get(self, base_url: str) -> Origin:
        """The origin of a base URL, known or new. Raises ValueError."""
        private = self._only_private in (None, base_url)
        origin = self._by_url.pop(base_url, None) or Origin(base_url, self._timeout, private=private)
        self._by_url[base_url] = origin
        origin.used = time.monotonic()
        url, oldest = next(iter(self._by_url.items()))
        if oldest is not origin and (len(self._by_url) > KEPT_ORIGINS or origin.used - oldest.used > IDLE_SECONDS):
            self._by_url.pop(url).drop()  # dropping one is enough: a call adds at most one
        return origin
