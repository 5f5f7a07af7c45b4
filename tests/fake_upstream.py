"""A stand-in for api.openai.com: real HTTP/1.1 over real sockets, every byte of its answers under a test's control.

    with FakeUpstream() as upstream:
        upstream.queue("/v1/chat/completions", reply_json({"error": …}, 429, [("retry-after", "3")]))
        … OPENAI_BASE_URL=upstream.url …
        assert upstream.requests[0].header("authorization") == "Bearer sk-…"

Unscripted paths get realistic answers (`default_answer`). Replies are made by the functions
of fake_replies; any callable that writes to a `Wire` will do. An upgrade to WebSocket is answered on the same port:
`upstream.script("/v1/responses", session)` runs ``session(ws)`` for the next one; see fake_socket.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

import fake_openai
import fake_socket
from fake_replies import Reply, Wire, cut_off, hang, raw, reply, reply_json, reply_sse, reset, slow, truncate

__all__ = [
    "FakeUpstream",
    "Reply",
    "Request",
    "cut_off",
    "hang",
    "raw",
    "reply",
    "reply_json",
    "reply_sse",
    "reset",
    "slow",
    "truncate",
]


@dataclass
class Request:
    """One request as it came over the wire. `outcome`: "" while answering, then "answered" or why it was not."""

    method: str
    target: str  # raw, with its query
    headers: list[tuple[str, str]]  # in order, names as sent
    body: bytes  # without the framing of a chunked body
    at: float = field(default_factory=time.time)
    outcome: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> object:
        return json.loads(self.body)


class FakeUpstream:
    """Serves on a free port of 127.0.0.1 while its context lasts; `url` is what OPENAI_BASE_URL takes.

    session: talks in every WebSocket for which no session was scripted.
    """

    def __init__(
        self,
        route: Callable[[Request], Reply | None] | None = None,
        session: fake_socket.Session | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._route, self._session = route, session
        self._queues: dict[str, deque[Reply]] = {}
        self._scripts: dict[str, deque[fake_socket.Session]] = {}
        self._closing, self._changed = threading.Event(), threading.Condition()
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{self.origin}/v1"

    def __enter__(self) -> FakeUpstream:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing.set()
        with suppress(OSError):  # wakes the thread in accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def queue(self, path: str, *replies: Reply) -> None:
        """Answer the next requests for `path` (without query) with these, one each."""
        self._queues.setdefault(path, deque()).extend(replies)

    def script(self, path: str, *sessions: fake_socket.Session) -> None:
        """Run these for the next WebSockets at `path` (without query), one each; then the connection is closed."""
        self._scripts.setdefault(path, deque()).extend(sessions)

    def wait(self, condition: Callable[[list[Request]], bool], seconds: float = 60) -> None:
        """Until the journal satisfies the condition; AssertionError when it does not in time."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.requests), seconds), self.requests

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        self._sockets.add(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with sock, sock.makefile("rb") as source, suppress(OSError, ValueError):
                while request := read_request(source, sock):
                    self._answer(request, Wire(sock, self._closing))
        finally:
            self._sockets.discard(sock)

    def _answer(self, request: Request, wire: Wire) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        if session := self._talker(request):
            return fake_socket.talk(wire.sock, request.headers, session)
        queue = self._queues.get(request.path)
        answer = queue.popleft() if queue else (self._route(request) if self._route else None)
        outcome = "answered"
        try:
            (answer or default_answer(request))(wire)
        except OSError as error:
            outcome = str(error)
            raise
        finally:
            with self._changed:
                request.outcome = outcome
                self._changed.notify_all()

    def _talker(self, request: Request) -> fake_socket.Session | None:
        """What talks in the WebSocket that a request asks for; None for a request that asks for none."""
        if (request.header("upgrade") or "").lower() != "websocket":
            return None
        queue = self._scripts.get(request.path)
        return queue.popleft() if queue else self._session


def read_request(source: BinaryIO, sock: socket.socket) -> Request | None:
    """The next request of a connection, its body complete; None when the client is gone."""
    start = source.readline().rstrip(b"\r\n")
    if not start:
        return None
    method, target, _ = start.decode("latin-1").split(" ", 2)
    headers: list[tuple[str, str]] = []
    while line := source.readline().rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    request = Request(method, target, headers, b"")
    if request.header("expect") == "100-continue":
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.body = _read_body(source, request)
    return request


def _read_body(source: BinaryIO, request: Request) -> bytes:
    if (request.header("transfer-encoding") or "").lower() != "chunked":
        return source.read(int(request.header("content-length") or 0))
    body = b""
    while size := int(source.readline().partition(b";")[0], 16):
        body += source.read(size)
        source.readline()
    while source.readline().strip():
        pass  # trailers
    return body


def default_answer(request: Request) -> Reply:
    """OpenAI's answer to a request that no test scripted."""
    try:
        asked = json.loads(request.body) if request.body else {}
    except ValueError:
        return reply_json(fake_openai.error("We could not parse the JSON body of your request."), 400)
    asked = asked if isinstance(asked, dict) else {}
    stream = asked.get("stream") is True
    match request.path:
        case "/v1/chat/completions":
            return reply_sse(fake_openai.chat_events(asked)) if stream else reply_json(fake_openai.chat(asked))
        case "/v1/responses":
            return reply_sse(fake_openai.response_events(asked)) if stream else reply_json(fake_openai.response(asked))
        case "/v1/embeddings":
            return reply_json(fake_openai.embeddings(asked))
    return reply_json(fake_openai.error(f"Invalid URL ({request.method} {request.path})"), 404)
