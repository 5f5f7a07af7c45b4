"""Both handshakes of a session: the upgrade a client asks for, and ours at OpenAI, which comes first.

The proxy key stands in the Authorization header, or, for browsers, which cannot set one, in a subprotocol
``openai-insecure-api-key.<key>``. Such subprotocols are never sent on. No extension is negotiated: frames pass as they
come, so they must not be compressed.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

import gevent
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import WebSocketURI

from webapp.errors import ApiError
from webapp.upstream.connections import Origin

KEY_PROTOCOL = "openai-insecure-api-key."
# Subprotocols that are not sent on, by their beginning.
NOT_SENT_ON = (KEY_PROTOCOL, "openai-organization.", "openai-project.")
REALTIME = "realtime"
CHUNK = 65536
log = logging.getLogger("spendai.websocket")
log.setLevel(logging.WARNING)  # at DEBUG the library logs every frame


def is_upgrade(environ: Mapping[str, Any]) -> bool:
    """Whether a client asks for a WebSocket."""
    return environ.get("REQUEST_METHOD") == "GET" and environ.get("HTTP_UPGRADE", "").strip().lower() == "websocket"


def protocols_of(environ: Mapping[str, Any]) -> list[str]:
    """The subprotocols that a client offers, in its order."""
    return [word for part in environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "").split(",") if (word := part.strip())]


def key_in(protocols: list[str]) -> str | None:
    """The proxy key in a subprotocol, None without one."""
    return next((word[len(KEY_PROTOCOL) :] for word in protocols if word.lower().startswith(KEY_PROTOCOL)), None)


def sent_on(protocols: list[str]) -> list[str]:
    """The subprotocols that OpenAI gets."""
    return [word for word in protocols if not word.lower().startswith(NOT_SENT_ON)]


class Upgrade:
    """A client's upgrade request, checked: raises ApiError where it is none that can be answered."""

    def __init__(self, environ: Mapping[str, Any], max_bytes: int) -> None:
        # Open: gunicorn has read the request, so the library reads nothing but frames.
        self.protocol = ServerProtocol(state=State.OPEN, max_size=max_bytes, logger=log)
        headers = Headers({
            name: environ[key] for name, key in (
                ("Connection", "HTTP_CONNECTION"), ("Upgrade", "HTTP_UPGRADE"),
                ("Sec-WebSocket-Key", "HTTP_SEC_WEBSOCKET_KEY"),
                ("Sec-WebSocket-Version", "HTTP_SEC_WEBSOCKET_VERSION"),
            ) if key in environ
        })  # fmt: skip
        self._answer = self.protocol.accept(Request(environ.get("RAW_URI", "/"), headers))
        if self._answer.status_code != 101:
            raise ApiError(400, "invalid_upgrade", f"No valid WebSocket upgrade: {self.protocol.handshake_exc}")

    def accept(self, more: list[tuple[str, str]]) -> bytes:
        """The 101 for the client, with more headers."""
        for name, value in more:
            self._answer.headers[name] = value
        return as_latin_1(self._answer.serialize())


class Refused(Exception):
    """OpenAI has refused the upgrade with this HTTP answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Asked(NamedTuple):
    """What OpenAI is asked for. target: raw path and query below the base URL; protocols: subprotocols."""

    target: str
    headers: list[tuple[str, str]]
    protocols: list[str]


def told_in(headers: Headers) -> list[tuple[str, str]]:
    """Names and values of an answer, in Latin-1 as WSGI has them. The library escapes what is not ASCII."""
    return [(name, value.encode("ascii", "surrogateescape").decode("latin-1")) for name, value in headers.raw_items()]


def as_latin_1(head: bytes) -> bytes:
    """A head that the library has written: in UTF-8, where WSGI's headers are Latin-1."""
    return head.decode().encode("latin-1")


def first(headers: Headers, name: str) -> str | None:
    """The first value of a header: one that is there twice makes the library's ``get`` fail."""
    return next(iter(headers.get_all(name)), None)


def dial(
    sock: socket.socket, origin: Origin, asked: Asked, limit: int, seconds: float
) -> tuple[ClientProtocol, Headers]:
    """Ask OpenAI for the WebSocket. Returns the open protocol and the headers of the answer.

    limit: bytes of a message; seconds: for the whole answer. Raises Refused, OSError (TimeoutError when it takes too
    long), and the library's InvalidHandshake.
    """
    uri = WebSocketURI(False, "openai", 80, "/", "")  # the request is made here: this is never used
    protocol = ClientProtocol(uri, subprotocols=asked.protocols or None, max_size=limit, logger=log)
    request = protocol.connect()
    request.path = f"{origin.path}{asked.target}"
    del request.headers["Host"]
    request.headers["Host"] = origin.netloc
    for name, value in asked.headers:
        request.headers[name] = value
    protocol.send_request(request)
    with gevent.Timeout(seconds, TimeoutError):
        _exchange(sock, protocol)
    answer = next((one for one in protocol.events if isinstance(one, Response)), None)
    if isinstance(protocol.handshake_exc, InvalidStatus) and answer.status_code >= 200:  # a client waits on after a 1xx
        raise Refused(answer)
    if protocol.handshake_exc or answer is None:
        raise protocol.handshake_exc or ConnectionError("no answer")
    return protocol, answer.headers


def _exchange(sock: socket.socket, protocol: ClientProtocol) -> None:
    """Send the request and read the answer, until the protocol knows whether there is a WebSocket."""
    sock.settimeout(None)
    sock.sendall(as_latin_1(b"".join(protocol.data_to_send())))
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        data = sock.recv(CHUNK)
        if not data:
            protocol.receive_eof()
            break
        protocol.receive_data(data)
