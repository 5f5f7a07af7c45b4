"""A connection that the application has taken over from the server, as a WebSocket does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

UNREAD = "spendai.unread"  # in WSGI's environ: bytes that came after the head of an upgrade request
SOCKET = "gunicorn.socket"


class TakenOver:
    """The body of an answer that the application has written itself: the server writes nothing and closes."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


TAKEN_OVER = TakenOver()


def take_over(environ: dict[str, Any]) -> tuple[socket.socket, bytes]:
    """The client's socket, without the limits for slow clients, and what was received after the request's head."""
    return environ[SOCKET].unlimited, environ.get(UNREAD, b"")
