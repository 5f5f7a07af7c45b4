"""Connections to an upstream: opened, kept alive for the next call, thrown away when there is any doubt about them."""

from __future__ import annotations

import ipaddress
import re
import select
import socket
import ssl
import time
from collections import deque
from functools import lru_cache
from urllib.parse import urlsplit

import certifi
from gevent.monkey import get_original

IDLE_SECONDS = 30  # an idle connection older than this is not trusted any more
KEPT_IDLE = 512
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
        self.close = sock.close

    def readable(self) -> bool:
        """Whether there is something to read now: on an idle connection its end, most likely."""
        return bool(self._poll.poll(0))


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
        self._session: ssl.SSLSession | None = None  # lets the next connection do without a full handshake

    def connection(self) -> Connection:
        """An open connection, kept or new. Raises OSError."""
        while self._idle:
            conn = self._idle.pop()  # the newest: the others may grow old and go
            if time.monotonic() - conn.since < IDLE_SECONDS and not conn.readable():
                return conn
            conn.close()
        sock = socket.create_connection((self._host, self._port), self._timeout)
        try:
            if ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_link_local:
                # where clouds keep their machines' credentials: no base URL may lead there
                raise ConnectionRefusedError
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
        if len(self._idle) >= KEPT_IDLE:
            conn.close()
            return
        if self._tls:
            self._session = conn.sock.session
        self._idle.append(conn)
