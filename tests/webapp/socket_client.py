"""The product in front of a fake of OpenAI's WebSocket endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_socket import FakeSocket
from stack import Stack
from websockets.sync.client import ClientConnection, connect

RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5.2-2025-12-11", "status": "completed", "output": [],
            "service_tier": "default"}  # fmt: skip
USAGE = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 500,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1500}  # fmt: skip


@pytest.fixture(scope="session")
def openai() -> Iterator[FakeSocket]:
    with FakeSocket() as fake:
        yield fake


@pytest.fixture(scope="session")
def sockets(stack_dsns: Callable[[str], tuple[str, str]], openai: FakeSocket) -> Iterator[Stack]:
    """The running product: olga's organization has an OpenAI key of its own, ada's and eve's share the install's."""
    environ = {"OPENAI_API_KEY": "sk-upstream", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": openai.url}
    with Stack(*stack_dsns("spendai_sockets"), **environ) as running:
        running.found_with_key("olga", "Own", openai.url)
        yield running


@pytest.fixture
def connect_to(sockets: Stack) -> Iterator[Callable[..., Client]]:
    """Opens sessions, and closes them after the test."""
    opened: list[Client] = []

    def open_one(path: str, name: str = "olga", **options: Any) -> Client:
        opened.append(Client(sockets, path, name, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        client.ws.close()


class Client:
    """A client's session; ``rows``: of the calls made in it."""

    def __init__(self, stack: Stack, path: str, name: str, **options: Any) -> None:
        self.stack = stack
        headers = {"Authorization": f"Bearer {stack.key(name)}"} | options.pop("headers", {})
        url = stack.proxy.replace("http://", "ws://") + path
        self.ws: ClientConnection = connect(url, additional_headers=headers, compression=None, max_size=None, **options)
        self.id = self.ws.response.headers["x-spendai-session-id"]

    def send(self, **message: Any) -> None:
        self.ws.send(json.dumps(message))

    def receive(self) -> dict[str, Any]:
        return json.loads(self.ws.recv(timeout=10))

    def rows(self) -> list[dict[str, Any]]:
        return self.stack.conn.execute(
            "select * from public.calls where session_id = %s order by id", [self.id]
        ).fetchall()

    def session(self) -> dict[str, Any]:
        return self.stack.conn.execute("select * from public.sessions where id = %s", [self.id]).fetchone()
