"""Replies of the fake upstream: good ones, slow ones, and every way an answer can break."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence

Headers = Sequence[tuple[str, str]]
JSON_TYPE = ("content-type", "application/json")
SSE_TYPE = ("content-type", "text/event-stream; charset=utf-8")
OPENAI_HEADERS = [("x-request-id", "req_fake0001"), ("openai-version", "2020-10-01"), ("openai-processing-ms", "42")]


class Wire:
    """A connection's side of one answer."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self.sock, self.closing = sock, closing

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Status'}", *(f"{k}: {v}" for k, v in headers)]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if self.closing.wait(seconds):
            raise ConnectionAbortedError("the fake upstream is closing")

    def drop(self, *, reset: bool = False) -> None:
        """End the connection: cleanly, or with a reset."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
        raise ConnectionAbortedError("dropped on purpose")


Reply = Callable[[Wire], None]


def reply(status: int = 200, headers: Headers = (), body: bytes = b"", *, chunked: bool = False) -> Reply:
    """A whole answer at once, by content-length or as one chunk."""

    def write(wire: Wire) -> None:
        framing = ("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))
        wire.head(status, [*headers, framing])
        if chunked and body:
            wire.chunk(body)
        wire.send(b"0\r\n\r\n" if chunked else body)

    return write


def reply_json(value: object, status: int = 200, headers: Headers = ()) -> Reply:
    return reply(status, [JSON_TYPE, *OPENAI_HEADERS, *headers], json.dumps(value).encode())


def reply_sse(
    chunks: Iterable[bytes], delay: float = 0.0, headers: Headers = (), gates: Iterable[threading.Event] = ()
) -> Reply:
    """A stream: each piece one HTTP chunk, `delay` seconds between; a gate per piece must open before it is sent."""
    pieces, waits = list(chunks), list(gates)

    def write(wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, *OPENAI_HEADERS, *headers, ("transfer-encoding", "chunked")])
        for number, piece in enumerate(pieces):
            if number < len(waits) and not waits[number].wait(30):
                wire.drop()
            if number and delay:
                wire.pause(delay)
            wire.chunk(piece)
        wire.send(b"0\r\n\r\n")

    return write


def slow(first: Reply, seconds: float) -> Reply:
    """Another reply, after a pause without a byte."""

    def write(wire: Wire) -> None:
        wire.pause(seconds)
        first(wire)

    return write


def hang() -> Reply:
    """Never answers; the connection stays open."""
    return lambda wire: wire.pause(3600)


def cut_off(chunks: Iterable[bytes], headers: Headers = (SSE_TYPE,), *, reset: bool = False) -> Reply:
    """A chunked answer that stops after the pieces given, without its end: closed, or reset."""

    def write(wire: Wire) -> None:
        wire.head(200, [*headers, ("transfer-encoding", "chunked")])
        for piece in chunks:
            wire.chunk(piece)
        if reset:
            wire.pause(0.2)  # a reset throws away what the other side has not read yet
        wire.drop(reset=reset)

    return write


def truncate(body: bytes, missing: int = 1, headers: Headers = (JSON_TYPE,)) -> Reply:
    """An answer that promises `missing` bytes more than it sends."""

    def write(wire: Wire) -> None:
        wire.head(200, [*headers, ("content-length", str(len(body) + missing))])
        wire.send(body)
        wire.drop()

    return write


def reset() -> Reply:
    """The connection is reset instead of an answer."""
    return lambda wire: wire.drop(reset=True)


def raw(data: bytes) -> Reply:
    """Any bytes at all instead of an HTTP answer, then the end of the connection."""

    def write(wire: Wire) -> None:
        wire.send(data)
        wire.drop()

    return write
