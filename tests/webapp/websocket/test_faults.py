"""Sessions when something ends in the middle: the client, the worker, the machine, the database."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from fake_socket import FakeSocket
from processes import children, frozen
from socket_client import Client
from stack import Stack
from websockets.exceptions import ConnectionClosed

CREATE = {"type": "response.create", "model": "gpt-5.2", "input": "hi"}
RESPONSE = {"id": "resp_1", "model": "gpt-5.2-2025-12-11"}
USAGE = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
COST = Decimal("0.00875")


@pytest.fixture(scope="module")
def made(stack_dsns) -> Iterator[tuple[Stack, FakeSocket]]:
    with FakeSocket() as fake:
        environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url, "WORKERS": "1"}
        with Stack(*stack_dsns("spendai_socket_faults"), **environ) as stack:
            yield stack, fake


class Held:
    """A session whose response has begun; ``end()`` lets OpenAI end it."""

    def __init__(self, stack: Stack, fake: FakeSocket) -> None:
        self._go = threading.Event()
        fake.script("/v1/responses", self._session)
        self.client = Client(stack, "/responses", "ada")
        self.client.send(**CREATE)
        assert self.client.receive()["type"] == "response.created"

    def _session(self, ws: Any) -> None:
        ws.recv()
        ws.send(json.dumps({"type": "response.created", "response": RESPONSE}))
        self._go.wait(30)
        ws.send(json.dumps({"type": "response.completed", "response": RESPONSE | {"usage": USAGE}}))
        ws.recv()

    def end(self) -> None:
        self._go.set()


@pytest.fixture
def held(made) -> Iterator[Held]:
    stack, fake = made
    if stack.process.poll() is not None:
        stack.start()
    session = Held(stack, fake)
    yield session
    session.end()
    session.client.ws.close()


def closed(client: Client) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        client.receive()
    return ended.value.rcvd.code, ended.value.rcvd.reason


def test_told_to_stop_the_gateway_lets_a_response_end_and_closes_with_1012(made, held):
    stack, fake = made
    fake.script("/v1/responses", lambda ws: ws.recv())
    idle = Client(stack, "/responses", "ada")
    stack.process.send_signal(signal.SIGTERM)
    assert closed(idle)[0] == 1012
    held.end()
    assert held.client.receive()["type"] == "response.completed"
    assert held.client.rows()[0]["cost"] == COST
    assert closed(held.client) == (1012, "SpendAI restarts; connect again")
    stack.process.wait(60)
    assert (held.client.session()["close_code"], held.client.session()["closed_by"]) == (1012, "spendai")


def test_a_killed_worker_leaves_its_call_in_doubt_and_its_session_open(made, held):
    stack, _ = made
    for pid in children(stack.process.pid, ""):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ConnectionClosed):
        held.client.receive()
    (row,) = held.client.rows()
    assert (row["state"], row["cost"]) == ("open", None)  # in doubt when its deadline has passed
    assert held.client.session()["state"] == "open"
    stack.stop()


def test_told_to_quit_the_gateway_spools_its_call_and_the_next_start_settles_it(made, held):
    stack, _ = made
    stack.stop(signal.SIGQUIT)
    with pytest.raises(ConnectionClosed):
        held.client.receive()
    stack.start()
    (row,) = held.client.rows()
    assert (row["state"], row["cost_status"], row["cost"]) == ("settled", "no_usage", None)


def test_with_the_database_away_a_response_is_refused_and_nothing_is_sent(made, cluster):
    stack, fake = made
    if stack.process.poll() is not None:
        stack.start()
    got: list[Any] = []

    def session(ws: Any) -> None:
        while True:
            got.append(ws.recv())

    fake.script("/v1/responses", session)
    client = Client(stack, "/responses", "ada")
    with frozen(cluster.data):
        client.send(**CREATE)
        refused = json.loads(client.ws.recv(timeout=30))
    assert (refused["status"], refused["error"]["code"]) == (503, "ledger_unavailable")
    assert got == []
    client.ws.close()


def test_the_bytes_of_a_session_are_in_no_log_and_no_table(made):
    stack, fake = made
    if stack.process.poll() is not None:
        stack.start()

    def session(ws: Any) -> None:
        ws.recv()
        ws.send(json.dumps({"type": "response.created", "response": RESPONSE}))
        told = [{"type": "message", "content": [{"type": "output_text", "text": "secret-answer"}]}]
        done = RESPONSE | {"usage": USAGE, "output": told}
        ws.send(json.dumps({"type": "response.completed", "response": done}))
        ws.recv()

    fake.script("/v1/responses", session)
    client = Client(stack, "/responses", "ada")
    client.send(**CREATE | {"input": "secret-prompt"})
    client.receive(), client.receive()
    client.ws.close()
    with psycopg.connect(stack.admin_dsn) as conn:
        rows = conn.execute(
            "select u::text from public.usage_logs u union all select s::text from public.websocket_sessions s"
        )
        held = "".join(text for (text,) in rows)
    assert len(held) > 100
    for word in ("secret-prompt", "secret-answer", stack.key("ada"), "sk-x"):
        assert word not in held + stack.log()
