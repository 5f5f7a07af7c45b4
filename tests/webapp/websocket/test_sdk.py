"""The official SDK's WebSocket clients, unmodified, through the running product."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from aside import run_aside
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from stack import Stack

RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.2", "status": "completed",
            "output": [], "tools": [], "tool_choice": "auto", "parallel_tool_calls": True}  # fmt: skip
USAGE = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 500,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1500}  # fmt: skip
VOICE = {"total_tokens": 1500, "input_tokens": 1000, "output_tokens": 500,
         "input_token_details": {"text_tokens": 1000, "audio_tokens": 0, "cached_tokens": 0},
         "output_token_details": {"text_tokens": 500, "audio_tokens": 0}}  # fmt: skip


def responses(ws: Any) -> None:
    assert json.loads(ws.recv())["type"] == "response.create"
    for number, (kind, usage) in enumerate((("created", None), ("completed", USAGE))):
        ws.send(
            json.dumps({"type": f"response.{kind}", "sequence_number": number, "response": RESPONSE | {"usage": usage}})
        )
    ws.recv()


def realtime(ws: Any) -> None:
    ws.send(json.dumps({"type": "session.created", "event_id": "e", "session": {"id": "s", "model": "gpt-realtime-2"}}))
    assert json.loads(ws.recv())["type"] == "response.create"
    ws.send(json.dumps({"type": "response.created", "event_id": "e", "response": {"id": "r", "status": "in_progress"}}))
    ws.send(json.dumps({"type": "response.done", "event_id": "e", "response": {"id": "r", "usage": VOICE}}))
    ws.recv()


def latest(sockets: Stack) -> dict[str, Any]:
    query = "select * from public.calls order by started_at desc limit 1"
    return sockets.conn.execute(query).fetchone()


def kinds(connection: Any) -> list[str]:
    """Types of the events until a response is over."""
    seen = []
    for event in connection:
        seen.append(event.type)
        if event.type in ("response.completed", "response.done"):
            return seen
    return seen


def ask(connection: Any) -> list[str]:
    connection.response.create(model="gpt-5.2", input="hi")
    return kinds(connection)


@pytest.fixture
def client(sockets: Stack) -> OpenAI:
    return OpenAI(base_url=sockets.proxy, api_key=sockets.key("olga"))


def test_responses_connect(sockets, openai, client):
    openai.script("/v1/responses", responses)
    with client.responses.connect() as connection:
        assert ask(connection) == ["response.created", "response.completed"]
    row = latest(sockets)
    assert (row["endpoint"], row["cost"]) == ("/v1/responses", Decimal("0.00875"))
    assert row["session_id"]


def test_realtime_connect(sockets, openai, client):
    openai.script("/v1/realtime", realtime)
    with client.realtime.connect(model="gpt-realtime-2") as connection:
        connection.response.create()
        assert kinds(connection) == ["session.created", "response.created", "response.done"]
    assert latest(sockets)["cost"] == Decimal("0.016")  # 1,000 x $4 + 500 x $24, per million tokens


def test_a_client_of_azure_names_its_model_as_a_deployment(sockets, openai):
    openai.script("/v1/realtime", realtime)
    there = sockets.proxy.replace("http://", "ws://") + "/openai"
    client = AzureOpenAI(
        azure_endpoint=sockets.proxy, websocket_base_url=there, api_key=sockets.key("olga"), api_version="2025-04-01"
    )
    with client.realtime.connect(model="gpt-realtime-2") as connection:
        connection.response.create()
        assert kinds(connection)[-1] == "response.done"
    assert openai.upgrades[-1].path == "/v1/realtime?model=gpt-realtime-2"
    session = sockets.conn.execute("select * from public.sessions order by started_at desc limit 1").fetchone()
    assert session["model_requested"] == "gpt-realtime-2"


def test_both_from_asyncio(sockets, openai):
    async def run() -> None:
        client = AsyncOpenAI(base_url=sockets.proxy, api_key=sockets.key("olga"))
        async with client.responses.connect() as connection:
            await connection.response.create(model="gpt-5.2", input="hi")
            assert [(await connection.recv()).type for _ in range(2)] == ["response.created", "response.completed"]
        async with client.realtime.connect(model="gpt-realtime-2") as connection:
            await connection.response.create()
            assert [(await connection.recv()).type for _ in range(3)][-1] == "response.done"

    openai.script("/v1/responses", responses)
    openai.script("/v1/realtime", realtime)
    run_aside(run())
    assert latest(sockets)["endpoint"] == "/v1/realtime"


def test_live_connect(sockets, openai, client):
    def session(ws: Any) -> None:
        assert json.loads(ws.recv())["type"] == "session.start"
        ws.send(json.dumps({"type": "session.started", "event_id": "e", "session": {"id": "l", "model": "gpt-live-1"}}))
        assert json.loads(ws.recv())["type"] == "session.close"
        ws.send(json.dumps({"type": "session.closed", "event_id": "e", "reason": "close_requested",
                            "usage": {"seconds": 90}, "session": {"id": "l", "model": "gpt-live-1"}}))  # fmt: skip

    openai.script("/v1/live/sessions", session)
    with client.live.connect() as connection:
        connection.session.start(session={"model": "gpt-live-1"})
        assert connection.recv().type == "session.started"
        connection.session.close()
        assert connection.recv().type == "session.closed"
    assert latest(sockets)["cost"] == Decimal("0.075")


def test_a_message_that_is_refused_is_an_error_event_that_names_it(sockets, openai):
    client = OpenAI(base_url=sockets.proxy, api_key=sockets.key("ada"))  # on a shared key
    for path, connect in (("/v1/live/sessions", client.live.connect),
                          ("/v1/realtime", lambda: client.realtime.connect(model="gpt-realtime-2"))):  # fmt: skip
        openai.script(path, lambda ws: ws.recv())
        with connect() as connection:
            connection.send({"type": "session.update", "event_id": "mine", "session": {"prompt": {"id": "pmpt_x"}}})
            event = connection.recv()
            assert (event.type, event.error.code) == ("error", "needs_own_openai_key")
            assert event.event_id.startswith("event_")
            named = event.error.client_event_id if "live" in path else event.error.event_id
            assert named == "mine"
