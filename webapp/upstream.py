"""HTTP to OpenAI: one call of the client is one request here, byte for byte, never retried, no redirect followed.

Python's own HTTP client, below any URL handling: it sends the raw target as it came (``%7e`` stays ``%7e``, brackets
stay), reads no proxy variable and no .netrc. Connections are kept alive and reused; one that the other side closed
meanwhile is noticed before anything is sent on it.
"""

from __future__ import annotations

import http.client
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import certifi

from webapp.headers import Headers

IDLE_SECONDS = 30  # an idle connection older than this is not trusted any more
KEPT_IDLE = 512
CHUNK = 65536


class UpstreamError(Exception):
    """The upstream did not answer. ``sent`` tells whether it may have got the request, and so may have billed it."""

    def __init__(self, status: int, code: str, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.sent = status, code, message, sent


class Interrupted(Exception):
    """The answer broke off; ``timeout`` when the upstream fell silent."""

    def __init__(self, *, timeout: bool = False) -> None:
        super().__init__("timeout" if timeout else "broken off")
        self.timeout = timeout


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # a bare machine without certificates of its own
    return context


class Answer:
    """An upstream's answer: ``status``, ``reason``, ``headers`` (duplicates in order), and ``chunks``, its body.

    ``chunks`` raises Interrupted when the body breaks off; when it ends, that is the true end.
    """

    def __init__(self, origin: Origin, conn: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._origin, self._conn, self._response = origin, conn, response
        self.status, self.reason, self.headers = response.status, response.reason, response.getheaders()
        self._deadline: float | None = None
        self.chunks = self._read()

    def header(self, name: str) -> str:
        """First value of a header, or an empty string."""
        return self._response.getheader(name) or ""

    def stop_at(self, deadline: float) -> None:
        """Raise Interrupted when the body goes on past this moment of time.monotonic()."""
        self._deadline = deadline
        self._mind_deadline()

    def _mind_deadline(self) -> None:
        if self._deadline is not None and self._conn and self._conn.sock:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise Interrupted(timeout=True)
            self._conn.sock.settimeout(min(left, self._conn.sock.gettimeout() or left))

    def _read(self) -> Iterator[bytes]:
        response = self._response
        try:
            while chunk := response.read1(CHUNK):
                yield chunk
                self._mind_deadline()
        except TimeoutError:
            raise Interrupted(timeout=True) from None
        except (OSError, http.client.HTTPException):
            raise Interrupted from None
        if response.length:  # fewer bytes came than Content-Length promised
            raise Interrupted

    def close(self) -> None:
        """Give the connection back when the answer was read to its end, else close it. Safe to call twice."""
        conn, self._conn = self._conn, None
        if conn is not None:
            ended = self._response.isclosed() or (self._response.length == 0 and not self._response.chunked)
            self._response.close()
            self._origin.take_back(conn, reusable=ended and not self._response.will_close)


class Origin:
    """One scheme, host and port, with its idle connections."""

    def __init__(self, scheme: str, host: str, port: int | None, connect_timeout: float) -> None:
        self.scheme, self.host, self.port, self.connect_timeout = scheme, host, port, connect_timeout
        self._idle: list[tuple[http.client.HTTPConnection, float]] = []

    def connection(self) -> http.client.HTTPConnection:
        """An open connection, kept or new. Raises OSError."""
        while self._idle:
            conn, since = self._idle.pop()  # the newest: the others may grow old and go
            if time.monotonic() - since < IDLE_SECONDS and conn.sock and not _readable(conn.sock):
                return conn
            conn.close()
        if self.scheme == "https":
            conn = http.client.HTTPSConnection(self.host, self.port, timeout=self.connect_timeout, context=_tls())
        else:
            conn = http.client.HTTPConnection(self.host, self.port, timeout=self.connect_timeout)
        conn.connect()
        if ipaddress.ip_address(conn.sock.getpeername()[0].partition("%")[0]).is_link_local:
            conn.close()  # where clouds keep their machines' credentials: no base URL may lead there
            raise ConnectionRefusedError
        conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return conn

    def take_back(self, conn: http.client.HTTPConnection, *, reusable: bool) -> None:
        """Keep a connection for the next call, or close it."""
        if reusable and conn.sock and len(self._idle) < KEPT_IDLE:
            self._idle.append((conn, time.monotonic()))
        else:
            conn.close()


def _readable(sock: socket.socket) -> bool:
    """Whether there is something to read on an idle connection: its end, most likely."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class Request(NamedTuple):
    """What goes upstream: the raw path and query below the base URL; a body without a length goes chunked."""

    method: str
    target: str
    headers: Headers
    body: bytes | Iterable[bytes] | None
    length: int | None


class Client:
    """Sends requests to OpenAI's API; connections are shared per origin."""

    def __init__(self, connect_timeout: float, read_timeout: float) -> None:
        self.connect_timeout, self.read_timeout = connect_timeout, read_timeout
        self._origins: dict[tuple[str, str, int | None], Origin] = {}

    def send(self, base_url: str, request: Request) -> Answer:
        """Send one request and wait for the head of its answer.

        Raises UpstreamError. What the body's iterator raises passes through and the connection is closed.
        """
        parts = urlsplit(base_url)
        where = (parts.scheme, parts.hostname or "", parts.port)
        origin = self._origins.setdefault(where, Origin(*where, self.connect_timeout))
        try:
            conn = origin.connection()
        except OSError as error:
            reason = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
            raise UpstreamError(502, "upstream_unreachable", f"OpenAI's API {reason}", sent=False) from None
        try:
            conn.sock.settimeout(self.read_timeout)
            return Answer(origin, conn, _exchange(conn, parts.netloc, parts.path, request))
        except TimeoutError:
            conn.close()
            raise UpstreamError(504, "upstream_timeout", "OpenAI's API did not answer in time", sent=True) from None
        except (OSError, http.client.HTTPException):
            conn.close()
            raise UpstreamError(
                502, "upstream_unreachable", "OpenAI's API broke the connection off", sent=True
            ) from None
        except BaseException:
            conn.close()
            raise


def _exchange(
    conn: http.client.HTTPConnection, host: str, base_path: str, request: Request
) -> http.client.HTTPResponse:
    conn.putrequest(request.method, base_path + request.target, skip_host=True, skip_accept_encoding=True)
    conn.putheader("Host", host)
    for name, value in request.headers:
        conn.putheader(name, value.encode("latin-1"))
    chunked = request.body is not None and request.length is None
    if chunked:
        conn.putheader("Transfer-Encoding", "chunked")
    elif request.length is not None:
        conn.putheader("Content-Length", str(request.length))
    # A refusal may come before the whole body was read: then sending breaks and the answer is there all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        conn.endheaders(request.body, encode_chunked=chunked)
    return conn.getresponse()
