"""One request on one connection: sent whole, or until a refusal comes, then the head of the answer."""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterable
from typing import NamedTuple

from webapp.upstream.connections import CHUNK, Connection, Origin
from webapp.upstream.http1 import MAX_HEAD, Head, Malformed, parse_head

REFUSAL = 400  # an answer of this status or above, before the body was read, means that the rest is not wanted


Headers = list[tuple[str, str]]


class Request(NamedTuple):
    """What goes upstream: the raw path and query below the base URL; a body without a length goes chunked."""

    method: str
    target: str
    headers: Headers
    body: bytes | Iterable[bytes] | None
    length: int | None


class Exchange:
    """One request on one connection, until the head of its answer is there."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.whole = True  # whether all of the request was sent
        self._begun = False
        self._got = bytearray()
        self._interim = 0  # bytes of 1xx heads so far
        self._head: Head | None = None

    def send(self, head: bytes, body: bytes | Iterable[bytes] | None, *, chunked: bool) -> None:
        """Send a request. A refusal may come before the body was read: then sending ends, the answer is there."""
        try:
            if not chunked and (body is None or isinstance(body, bytes)):
                self._write(head + body if body else head)
                return
            self._write(head)
            for piece in filter(None, [body] if isinstance(body, bytes) else body):
                if not self._write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece):
                    return
            if chunked:
                self._write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.whole = False

    def _write(self, data: bytes) -> bool:
        """Send bytes, as long as they are wanted; whether they still are."""
        sent = 0
        if not self._begun:  # nothing is in the way of the first bytes; later ones may have to wait
            self._begun, sent = True, self.conn.sock.send(data if len(data) <= CHUNK else memoryview(data)[:CHUNK])
            if sent == len(data):
                return True
        rest = memoryview(data)[sent:]
        while rest and self.whole:
            if self.conn.readable() and self._early():
                self.whole = False
            else:
                rest = rest[self._send_some(rest) :]
        return self.whole

    def _send_some(self, data: memoryview) -> int:
        """Send what fits, or wait until more does or an answer comes. Raises TimeoutError."""
        sock = self.conn.sock
        waiting = select.poll()
        waiting.register(sock.fileno(), select.POLLOUT | (0 if self._head else select.POLLIN))
        timeout = sock.gettimeout()
        events = waiting.poll(None if timeout is None else timeout * 1000)
        if not events:
            raise TimeoutError
        return sock.send(data[:CHUNK]) if events[0][1] & select.POLLOUT else 0

    def _early(self) -> bool:
        """Read what came before the request was out; whether it is a refusal, or the end."""
        if self._head is None:
            timeout = self.conn.sock.gettimeout()
            self.conn.sock.settimeout(0)  # what came may be TLS' own business, and nothing behind it
            try:
                if not self._take(self.conn.sock.recv(CHUNK)):
                    return True
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            finally:
                self.conn.sock.settimeout(timeout)
            self._head = self._next_head()
        return self._head is not None and self._head.status >= REFUSAL

    def _take(self, got: bytes) -> bool:
        self._got += got
        return bool(got)

    def head(self, seconds: float) -> Head:
        """The head of the answer; no silence before it may last longer. Raises OSError or Malformed."""
        while not self._head:
            self._head = self._next_head()
            if not self._head and not self._take(self.conn.receive(seconds)):
                raise ConnectionResetError
        return self._head

    def _next_head(self) -> Head | None:
        """The head in what was read so far, if it is there whole; interim ones (1xx) are dropped."""
        while True:
            end = self._got.find(b"\r\n\r\n") + 4
            if self._interim + (len(self._got) if end < 4 else end) > MAX_HEAD:
                raise Malformed
            if end < 4:
                return None
            head = parse_head(self._got[:end])
            del self._got[:end]
            if head.status == 101:  # nobody asked for another protocol
                raise Malformed
            if head.status >= 200:
                return head
            self._interim += end

    def rest(self) -> bytes:
        """What was read beyond the head."""
        return bytes(self._got)


def request_head(origin: Origin, request: Request) -> bytes:
    """The request's head as it goes out. ValueError for anything that would end a line of it early."""
    lines = [f"{request.method} {origin.path}{request.target} HTTP/1.1", f"Host: {origin.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.length is not None:
        lines.append(f"Content-Length: {request.length}")
    elif request.body is not None:
        lines.append("Transfer-Encoding: chunked")
    head = "\r\n".join([*lines, "", ""])
    if not head.count("\n") == head.count("\r") == len(lines) + 1:
        raise ValueError("a line break in a header")
    return head.encode("latin-1")
