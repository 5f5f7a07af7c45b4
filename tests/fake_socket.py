"""A stand-in for OpenAI's WebSocket endpoints: every session runs a function of the test.

    with FakeSocket() as openai:
        openai.script("/v1/responses", session)   # session(ws) talks as OpenAI would; then the socket is closed
        … OPENAI_BASE_URL=openai.url …
        assert openai.upgrades[0].headers["Authorization"] == "Bearer sk-…"

``upgraded`` does the same for one connection of a FakeUpstream. Frames are made by the library ``websockets``, in
threads.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus

import fake_upstream
from fake_replies import Reply, Wire
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection, serve

Session = Callable[[ServerConnection], None]


def chosen(_: object, offered: Sequence[str]) -> str | None:
    """The subprotocol that OpenAI chooses."""
    return "realtime" if "realtime" in offered else None


def is_upgrade(request: fake_upstream.Request) -> bool:
    """Whether a request to a FakeUpstream asks for a WebSocket."""
    return (request.header("upgrade") or "").lower() == "websocket"


def upgraded(request: fake_upstream.Request, session: Session) -> Reply:
    """The answer to an upgrade: the handshake, the session, then the end of the connection."""

    def write(wire: Wire) -> None:
        asked = Request(request.target, Headers(request.headers))
        connection = ServerConnection(wire.sock, ServerProtocol(state=State.OPEN, max_size=None), ping_interval=None)
        connection.request = asked  # before the client may send: without it frames are taken for the handshake
        wire.send(ServerProtocol(select_subprotocol=chosen).accept(asked).serialize())
        with suppress(ConnectionClosed), connection:
            session(connection)
        wire.drop()

    return write


class FakeSocket:
    """Serves on a free port of 127.0.0.1 while its context lasts. ``refusal``: the HTTP answer to upgrades, if any."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.upgrades: list[Request] = []
        self.connections: list[ServerConnection] = []
        self.refusal: tuple[HTTPStatus, str] | None = None
        self._scripts: dict[str, deque[Session]] = {}

    def script(self, path: str, session: Session) -> None:
        """Run this function for the next connection to a path."""
        self._scripts.setdefault(path, deque()).append(session)

    def __enter__(self) -> FakeSocket:
        self._server = serve(
            self._serve, "127.0.0.1", 0, process_request=self._upgrade, subprotocols=["realtime"], max_size=None,
            ssl=self._tls, select_subprotocol=chosen, ping_interval=None,
        )  # fmt: skip
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.socket.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()

    def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.upgrades.append(request)
        if self.refusal:
            return connection.respond(*self.refusal)
        return None

    def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        path = connection.request.path.partition("?")[0]
        with suppress(ConnectionClosed):
            self._scripts[path].popleft()(connection)


def talk(sock: socket.socket, headers: Iterable[tuple[str, str]], session: Session) -> None:
    """Answer an upgrade whose head was read from a socket, and run a session there. Then the connection is over."""
    protocol = ServerProtocol(state=State.OPEN, max_size=None)  # open: the library reads no request
    request = Request("/", Headers(headers))
    answer = protocol.accept(request)
    offered = (request.headers.get("Sec-WebSocket-Protocol") or "").split(", ")
    if "realtime" in offered:
        answer.headers["Sec-WebSocket-Protocol"] = "realtime"
    with ServerConnection(sock, protocol, ping_interval=None, max_queue=None) as connection:
        connection.request = request
        sock.sendall(answer.serialize())
        with suppress(ConnectionClosed):
            session(connection)
    raise ConnectionAbortedError("the WebSocket is over")  # nothing else follows on this socket
