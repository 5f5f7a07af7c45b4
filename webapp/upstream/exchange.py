"""Sends one request on one connection and reads the head of its answer.

A server may refuse an upload before it has read all of it, and then close the connection: so the sender looks for an
answer between the parts of the body, and stops sending when the answer is an error.
"""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple

from webapp.upstream.connections import CHUNK, Connection, Origin
from webapp.upstream.http1 import MAX_HEAD, Head, Malformed, parse_head

REFUSAL = 400  # an early answer of this status or above means that the server does not read the rest of the body

Headers = list[tuple[str, str]]


class Request(NamedTuple):
    """A request: ``target`` is the raw path and query after the base URL; a body without ``length`` is sent chunked.

    deadline: the moment by time.monotonic() at which sending it, and waiting for its answer, end at the latest.
    """

    method: str
    target: str
    headers: Headers
    body: bytes | Iterable[bytes] | None
    length: int | None
    deadline: float = inf


class Exchange:
    """One request on one connection: call ``send``, then ``head``, then ``rest``."""

    def __init__(self, conn: Connection, deadline: float) -> None:
        self.conn, self.deadline = conn, deadline
        self.whole = True  # whether all of the request was sent
        self.begun = False  # whether a byte of it was sent
        self.closed = False  # whether the server ended the connection in order (FIN), after the whole request was sent
        self._got = bytearray()  # bytes received and not used yet
        self._interim = 0  # bytes of 1xx heads received so far
        self._head: Head | None = None

    def send(self, head: bytes, body: bytes | Iterable[bytes] | None, *, chunked: bool) -> None:
        """Send a request. Stops early, with ``whole`` False, when the server refuses it before it has read the body.

        Raises OSError, TimeoutError, Malformed, and what the iterator of the body raises.
        """
        try:
            if not chunked and (body is None or (isinstance(body, bytes) and len(body) <= CHUNK)):
                self._write(head + body if body else head)
                return
            self._write(head)
            for piece in filter(None, _slices(body) if isinstance(body, bytes) else body):
                if time.monotonic() > self.deadline:
                    raise TimeoutError
                if not self._write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece):
                    return
            if chunked:
                self._write(b"0\r\n\r\n")
        except BrokenPipeError:  # so Linux reports a reset that comes after an orderly end
            self.whole, self.closed = False, True
        except ConnectionResetError:
            self.whole = False

    def _write(self, data: bytes | memoryview) -> bool:
        """Send all bytes. Returns False if the server refused the request or closed the connection before that."""
        sent = 0
        if not self.begun:  # the first bytes fit into the empty socket buffer and cannot have been refused yet
            sent = self.conn.sock.send(data if len(data) <= CHUNK else memoryview(data)[:CHUNK])
            self.begun = True
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
        """Wait until there is room or an answer arrives; returns how many bytes were sent. Raises TimeoutError."""
        sock = self.conn.sock
        waiting = select.poll()
        waiting.register(sock.fileno(), select.POLLOUT | (0 if self._head else select.POLLIN))
        timeout = sock.gettimeout()
        events = waiting.poll(None if timeout is None else timeout * 1000)
        if not events:
            raise TimeoutError
        return sock.send(data[:CHUNK]) if events[0][1] & select.POLLOUT else 0

    def _early(self) -> bool:
        """Read what came before the whole request was sent. Returns whether it is a refusal or the connection's end."""
        if self._head is None:
            timeout = self.conn.sock.gettimeout()
            self.conn.sock.settimeout(0)  # it may be a TLS record without any data of HTTP in it
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
        """Wait for the head of the answer, at most so many seconds without a byte. Raises OSError or Malformed."""
        while not self._head:
            self._head = self._next_head()
            if not self._head and not self._take(self.conn.receive(seconds, self.deadline)):
                self.closed = self.closed or self.whole  # after an error of sending, a reset looks the same
                raise ConnectionResetError
        return self._head

    def _next_head(self) -> Head | None:
        """The head of the final answer if it has arrived completely; heads of interim answers (1xx) are dropped."""
        while True:
            end = self._got.find(b"\r\n\r\n") + 4
            if self._interim + (len(self._got) if end < 4 else end) > MAX_HEAD:
                raise Malformed
            if end < 4:
                return None
            head = parse_head(self._got[:end])
            del self._got[:end]
            if head.status == 101:  # a switch of protocols that no request asked for
                raise Malformed
            if head.status >= 200:
                return head
            self._interim += end

    @property
    def unanswered(self) -> bool:
        """Whether no byte of an answer has arrived."""
        return not (self._got or self._interim or self._head)

    def rest(self) -> bytes:
        """The bytes received after the head: the beginning of the body."""
        return bytes(self._got)


def request_head(origin: Origin, request: Request) -> bytes:
    """The request line and headers as bytes. ValueError for a line break or a character beyond Latin-1 in them."""
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


def _slices(body: bytes) -> Iterator[memoryview]:
    """A body in parts, none of which is copied."""
    view = memoryview(body)
    return (view[at : at + CHUNK] for at in range(0, len(body), CHUNK))
