"""HTTP/1.1 client for OpenAI's API: one call is one request, sent byte for byte as it came.

Why an own client (connections.py opens sockets, exchange.py sends, http1.py parses) instead of a library:
- CPU. Measured with `python bench/upstream_client.py`: 140 µs for a call with a 1 kB answer, against 360 µs with
  http.client, 800 µs with urllib3, 1,740 µs with requests; 112 µs for each event of a stream, against 166, 190, 193 µs.
- The target is not normalized: ``%7e`` stays ``%7e``, brackets stay. requests and urllib3 rewrite it.
- Answers that could be read in two ways are refused (http1.py); http.client accepts several of them.
- Nothing that may have been received is sent again and no redirect is followed, so one call is billed at most once. No
  proxy variable and no .netrc is read.
- ``UpstreamError.sent`` is exact: whether OpenAI may have received, and billed, the request.
- An answer that arrives while the request body is still being sent (413 of a large upload) is read and passed on.

A server may close a kept connection at any moment. Mostly that is noticed before anything is sent on it. Where the end
crosses the request on its way, the client sees: sent, no byte answered, connection over. RFC 9110 (9.2.2) allows
sending a POST again only with a means to detect that it was never applied. Browsers send it again whenever the
connection had been used before; Go's net/http does not, unless nothing was written or there is an Idempotency-Key.
OpenAI does not document that it honours such keys, so none is trusted here. The means to detect it is TCP itself:

- Every segment that a server sends after bytes have arrived acknowledges them. A connection that the server ended
  (FIN) without acknowledging a byte of the request was ended before the request arrived: nothing can be billed.
- A connection of which the first byte cannot be sent any more has delivered nothing.
- A reset (RST) after sending is no proof, since it does not carry acknowledgements: TCP may delay them for 40 ms, so a
  server that read the request may reset the connection before it has acknowledged a byte.
- After a reset or an acknowledged byte, or where the system does not count them, the request may have been read. It is
  not sent again, and ``sent`` is True. A GET or HEAD costs nothing and changes nothing: it is sent again then, too.
- Silence is no proof, because acknowledgements may be lost: it ends with 504. Connections are dropped by routers and
  load balancers after minutes without traffic, and are used here only when idle for less than IDLE_SECONDS.

It is sent again once, on a new connection. What cannot be sent again (an upload, which is not kept) is 502, not sent.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from webapp.upstream.addresses import ForbiddenAddress
from webapp.upstream.connections import Connection, Origin, Origins
from webapp.upstream.exchange import Exchange, Request, request_head
from webapp.upstream.http1 import Malformed, body_of, stays_open

CLOSED = "OpenAI's API closed the connection"
UNREADABLE = "OpenAI's API sent an answer that is no valid HTTP"
SAFE = ("GET", "HEAD")  # methods that cost nothing and change nothing


class UpstreamError(Exception):
    """The upstream gave no answer. ``status``, ``code`` and ``message`` are the error for the client.

    sent: whether the upstream may have received, and billed, the request.
    """

    def __init__(self, status: int, code: str, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.sent = status, code, message, sent


class Interrupted(Exception):
    """The body of an answer ended early; ``timeout``: because the upstream sent nothing for too long."""

    def __init__(self, *, timeout: bool = False) -> None:
        super().__init__("timeout" if timeout else "connection lost")
        self.timeout = timeout


class _NotReceived(Exception):
    """A kept connection was already over: the request may be sent again on a new one."""


def _unreachable(error: Exception) -> UpstreamError:
    """The error for what connecting raised; nothing was sent."""
    if isinstance(error, ForbiddenAddress):
        message = "The base URL leads to an address that is not allowed here"
        return UpstreamError(403, "base_url_forbidden", message, sent=False)
    reason = "cannot be reached"
    if isinstance(error, TimeoutError):
        reason = "did not answer in time"
    elif isinstance(error, ssl.SSLCertVerificationError):
        reason = "has a certificate that this machine does not trust"
    return UpstreamError(502, "upstream_unreachable", f"OpenAI's API {reason}", sent=False)


class Answer:
    """An upstream's answer: ``status``, ``reason``, ``headers`` (in order, with duplicates), and its body ``chunks``.

    ``chunks`` yields bytes as they arrive, and raises Interrupted if the body ends early. Call ``close`` at the end.
    """

    def __init__(self, origin: Origin, exchange: Exchange, method: str, read_timeout: float) -> None:
        head = exchange.head(read_timeout)
        self.status, self.reason, self.headers, self._fields = head.status, head.reason, head.headers, head.fields
        self._origin, self._conn = origin, exchange.conn
        self._body = body_of(head, method)
        self._reusable = stays_open(head) and exchange.whole and not self._body.endless
        self._timeout, self._deadline = read_timeout, exchange.deadline
        self._first = self._early(exchange.rest())
        self.begun = bool(self._first)  # whether the first bytes of the content came with the head
        self.chunks = self._read()

    def header(self, name: str) -> str:
        """First value of a header, by its name in lower case, or an empty string."""
        return self._fields.get(name, "")

    @property
    def ended(self) -> bool:
        """Whether ``chunks`` will yield nothing more, because the end of the body has arrived."""
        return self._body.done and not self._first

    def stop_at(self, deadline: float) -> None:
        """Make ``chunks`` raise Interrupted at this moment of time.monotonic(), instead of the request's deadline."""
        self._deadline = deadline

    def _early(self, data: bytes) -> bytes:
        """The content among the bytes that came with the head."""
        if self._body.done:  # an answer without a body
            self._body.rest = data
            return b""
        return self._body.feed(data) if data else b""

    def _read(self) -> Iterator[bytes]:
        body = self._body
        try:
            first, self._first = self._first, b""
            if first:
                yield first
            while not (body.done or body.broken):
                if not (data := self._conn.receive(self._timeout, self._deadline)):
                    break
                if piece := body.feed(data):
                    yield piece
        except TimeoutError:
            raise Interrupted(timeout=True) from None
        except OSError:
            raise Interrupted from None
        if not (body.done or body.endless):
            raise Interrupted

    def close(self) -> None:
        """Keep the connection for another call if the answer was read to its end, else close it. Idempotent."""
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if self._reusable and self._body.done and not self._body.rest:
            self._origin.take_back(conn)
        else:
            conn.close()


class Client:
    """Sends requests to OpenAI's API; calls with the same base URL share connections.

    connect_timeout: seconds for all addresses of a host. read_timeout: seconds without a byte before the call is ended.
    only_private: the one base URL that may lead to loopback and private addresses; None: all may.
    """

    def __init__(self, connect_timeout: float, read_timeout: float, only_private: str | None = None) -> None:
        self.read_timeout = read_timeout
        self._origins = Origins(connect_timeout, only_private)

    @property
    def connections(self) -> int:
        """How many HTTP connections of this process are open, idle ones included."""
        return len(Connection.alive)

    def dial(self, base_url: str) -> tuple[Origin, socket.socket]:
        """A connection of its own to a base URL, for what is not HTTP afterwards. Raises UpstreamError."""
        try:
            origin = self._origins.get(base_url)
            return origin, origin.new_socket()
        except (OSError, ValueError) as error:
            raise _unreachable(error) from None

    def send(self, base_url: str, request: Request) -> Answer:
        """Send one request and wait for the head of its answer.

        base_url: like https://api.openai.com/v1; the request's target is appended to it. Raises UpstreamError; what the
        iterator of the request's body raises is passed on.
        """
        try:
            origin = self._origins.get(base_url)
            head = request_head(origin, request)
            conn = origin.connection()
        except (OSError, ValueError) as error:
            raise _unreachable(error) from None
        try:
            return self._exchange(origin, conn, head, request)
        except _NotReceived:
            if not isinstance(request.body, bytes | None):
                raise UpstreamError(502, "upstream_unreachable", CLOSED, sent=False) from None
        try:
            conn = origin.opened()
        except OSError as error:
            raise _unreachable(error) from None
        return self._exchange(origin, conn, head, request)

    def _exchange(self, origin: Origin, conn: Connection, head: bytes, request: Request) -> Answer:
        """One request on one connection. Raises UpstreamError, or _NotReceived where it may be sent again."""
        exchange, safe = Exchange(conn, request.deadline), request.method in SAFE and request.body is None
        try:
            conn.sock.settimeout(self.read_timeout)
            exchange.send(head, request.body, chunked=request.body is not None and request.length is None)
            return Answer(origin, exchange, request.method, self.read_timeout)
        except TimeoutError:
            conn.close()
            raise UpstreamError(504, "upstream_timeout", "OpenAI's API did not answer in time", sent=True) from None
        except (OSError, Malformed) as error:
            unreceived = not exchange.begun or (exchange.closed and conn.untouched())
            again = conn.since > 0 and exchange.unanswered and (safe or unreceived)
            conn.close()
            if again:
                raise _NotReceived from None
            message = UNREADABLE if isinstance(error, Malformed) else CLOSED
            raise UpstreamError(502, "upstream_unreachable", message, sent=True) from None
        except BaseException:
            conn.close()
            raise
