"""Realtime and Live through the running product: what OpenAI's events say is priced, each once, at the right model."""

from __future__ import annotations

import json
import socket
from decimal import Decimal
from queue import Queue
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

USAGE = {
    "total_tokens": 3000, "input_tokens": 2600, "output_tokens": 400,
    "input_token_details": {
        "text_tokens": 600, "audio_tokens": 1500, "image_tokens": 500, "cached_tokens": 1200,
        "cached_tokens_details": {"text_tokens": 300, "audio_tokens": 800, "image_tokens": 100},
    },
    "output_token_details": {"text_tokens": 100, "audio_tokens": 300},
}  # fmt: skip
# gpt-realtime-2, dollars per million: 300 text at 4, 300 cached at 0.40, 700 audio at 32, 800 cached at 0.40,
# 400 image at 5, 100 cached at 0.50; out 100 text at 24, 300 audio at 64
COST = Decimal("0.047690")
CREATED = {"type": "session.created", "session": {
    "id": "sess_1", "model": "gpt-realtime-2",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
}}  # fmt: skip


def begun(number: int) -> str:
    return json.dumps({"type": "response.created", "response": {"id": f"resp_{number}", "status": "in_progress"}})


def done(number: int, status: str = "completed") -> str:
    return json.dumps({"type": "response.done", "response": {"id": f"resp_{number}", "status": status, "usage": USAGE}})


def test_a_voice_session_is_priced_response_by_response(sockets, openai, connect_to):
    def session(ws):
        ws.send(json.dumps(CREATED))
        assert json.loads(ws.recv())["type"] == "input_audio_buffer.append"
        ws.send(begun(1))  # a voice was detected
        ws.send(json.dumps({
            "type": "conversation.item.input_audio_transcription.completed", "item_id": "item_1", "content_index": 0,
            "transcript": "hello", "usage": {"type": "duration", "seconds": 12.5},
        }))  # fmt: skip
        ws.send(done(1, "cancelled"))
        ws.send(done(1, "cancelled"))  # told twice, billed once
        assert json.loads(ws.recv())["type"] == "response.create"
        states.extend(row["state"] for row in client.rows())
        ws.send(begun(2))
        ws.send(done(2))
        ws.recv()

    states: list[str] = []
    openai.script("/v1/realtime", session)
    client = connect_to("/realtime?model=gpt-realtime-2")
    assert client.receive()["type"] == "session.created"
    client.send(type="input_audio_buffer.append", audio="AAAA")
    for _ in range(4):
        client.receive()
    client.send(type="response.create", event_id="event_1")
    client.receive()
    assert client.receive()["response"]["id"] == "resp_2"
    rows = client.rows()
    assert states[-1] == "open"
    assert sorted(row["upstream_object_id"] for row in rows) == ["item_1", "resp_1", "resp_2"]
    by_id = {row["upstream_object_id"]: row for row in rows}
    assert by_id["resp_1"]["cost"] == by_id["resp_2"]["cost"] == COST
    assert {by_id["resp_1"]["model"], by_id["resp_2"]["model"]} == {"gpt-realtime-2"}
    assert by_id["item_1"]["model"] == "gpt-4o-mini-transcribe"
    assert by_id["resp_1"]["endpoint"] == "/v1/realtime"
    client.ws.close()
    ended = sockets.wait_for(lambda: (found := client.session())["ended_at"] and found)
    assert (ended["model"], ended["upstream_session_id"], ended["model_requested"]) == (
        "gpt-realtime-2", "sess_1", "gpt-realtime-2")  # fmt: skip


def test_openais_error_about_a_response_settles_what_was_asked_for(openai, connect_to):
    def session(ws):
        ws.send(json.dumps(CREATED))
        event = json.loads(ws.recv())
        error = {"type": "invalid_request_error", "code": "x", "message": "no", "event_id": event["event_id"]}
        ws.send(json.dumps({"type": "error", "event_id": "event_9", "error": error}))
        ws.recv()

    openai.script("/v1/realtime", session)
    client = connect_to("/realtime?model=gpt-realtime-2")
    client.receive()
    client.send(type="response.create", event_id="event_1")
    assert client.receive()["type"] == "error"
    assert [(row["cost_status"], row["cost"], row["status_code"]) for row in client.rows()] == [("error", 0, 400)]


def test_a_browser_brings_its_key_in_a_subprotocol_which_goes_no_further(sockets, openai, connect_to):
    openai.script("/v1/realtime", lambda ws: ws.send(json.dumps(CREATED)))
    key = sockets.key("olga")
    client = connect_to(
        "/realtime?model=gpt-realtime-2", headers={"Authorization": ""},
        subprotocols=["realtime", f"openai-insecure-api-key.{key}", "openai-project.proj_1"],
    )  # fmt: skip
    assert client.ws.subprotocol == "realtime"
    client.receive()
    sent = openai.upgrades[-1].headers
    assert sent["Sec-WebSocket-Protocol"] == "realtime"
    assert "Sec-WebSocket-Extensions" not in sent
    assert not any(key in value for value in sent.values())
    assert key not in sockets.log()


def test_on_a_shared_key_a_call_of_somebody_else_and_stored_prompts_are_refused(openai, connect_to):
    with pytest.raises(InvalidStatus) as refused:
        connect_to("/realtime?call_id=rtc_others", "ada")
    assert json.loads(refused.value.response.body)["error"]["code"] == "needs_own_openai_key"
    arrived = Queue()

    def session(ws):
        ws.send(json.dumps(CREATED))
        while True:
            arrived.put(json.loads(ws.recv())["type"])

    openai.script("/v1/realtime", session)
    client = connect_to("/realtime?model=gpt-realtime-2", "ada")
    client.receive()
    client.send(type="session.update", event_id="e1", session={"prompt": {"id": "pmpt_others"}})
    assert client.receive()["error"]["code"] == "needs_own_openai_key"
    client.send(type="conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=100)
    client.send(
        type="conversation.item.create",
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    )
    assert [arrived.get(timeout=10) for _ in range(2)] == ["conversation.item.truncate", "conversation.item.create"]


@pytest.mark.parametrize(("name", "learns"), [("ada", []), ("olga", ["rate_limits.updated"])])
def test_on_a_shared_key_a_client_does_not_learn_what_is_left_of_the_rate_limits(openai, connect_to, name, learns):
    limits = [{"name": "tokens", "limit": 20_000, "remaining": 19_950, "reset_seconds": 0.15}]

    def session(ws):
        ws.send(json.dumps({"type": "rate_limits.updated", "event_id": "e1", "rate_limits": limits}))
        ws.send(json.dumps({"type": "conversation.item.done", "item": {"name": "rate_limits.updated"}}))
        ws.recv()

    openai.script("/v1/realtime", session)
    client = connect_to("/realtime?model=gpt-realtime-2", name)
    expected = [*learns, "conversation.item.done"]
    assert [client.receive()["type"] for _ in expected] == expected


def live(ws: Any, *usages: float, closed: bool = True) -> None:
    assert json.loads(ws.recv())["type"] == "session.start"
    ws.send(json.dumps({"type": "session.started", "session": {"id": "live_1", "model": "gpt-live-1"}}))
    for seconds in usages:
        ws.send(json.dumps({"type": "session.usage.updated", "usage": {"seconds": seconds}}))


def test_the_seconds_of_a_live_session_are_told_again_and_again_and_billed_once(openai, connect_to):
    def session(ws):
        live(ws, 30, 60)
        ws.send(json.dumps({"type": "response.event", "delegation_id": "d", "event": {
            "type": "response.created", "response": {"id": "resp_n", "model": "gpt-5.2"}}}))  # fmt: skip
        ws.send(json.dumps({"type": "response.event", "delegation_id": "d", "event": {
            "type": "response.completed", "response": {"id": "resp_n", "model": "gpt-5.2", "usage": {
                "input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}}}}))  # fmt: skip
        ws.send(
            json.dumps(
                {"type": "session.closed", "reason": "expired", "usage": {"seconds": 90}, "session": {"id": "live_1"}}
            )
        )

    openai.script("/v1/live/sessions", session)
    client = connect_to("/live/sessions")
    client.send(type="session.start", session={"model": "gpt-live-1"})
    while client.receive()["type"] != "session.closed":
        pass
    rows = {row["endpoint"]: row for row in client.rows()}
    assert rows["/v1/live/sessions"]["cost"] == Decimal("0.075")
    assert rows["/v1/responses"]["cost"] == Decimal("0.00875")
    assert len(client.rows()) == 2


def test_a_live_session_whose_client_left_is_asked_to_close_and_priced(sockets, openai, connect_to):
    def session(ws):
        live(ws, 30)
        assert json.loads(ws.recv())["type"] == "session.close"
        ws.send(json.dumps({"type": "session.closed", "usage": {"seconds": 90}}))

    openai.script("/v1/live/sessions", session)
    client = connect_to("/live/sessions")
    client.send(type="session.start", session={"model": "gpt-live-1"})
    client.receive()
    client.ws.socket.shutdown(socket.SHUT_RDWR)
    row = sockets.wait_for(lambda: (rows := client.rows()) and rows[0]["state"] == "settled" and rows[0])
    assert row["cost"] == Decimal("0.075")


def test_the_seconds_of_a_live_session_whose_end_was_never_told_are_only_a_part_of_its_cost(
    sockets, openai, connect_to
):
    def session(ws):
        live(ws, 30, 60)
        ws.recv()
        ws.socket.shutdown(socket.SHUT_RDWR)

    openai.script("/v1/live/sessions", session)
    client = connect_to("/live/sessions")
    client.send(type="session.start", session={"model": "gpt-live-1"})
    for _ in range(3):
        client.receive()
    client.send(type="session.input_audio.append", audio="AAAA")
    with pytest.raises(ConnectionClosedError):
        client.receive()
    row = sockets.wait_for(lambda: (rows := client.rows()) and rows[0]["state"] == "settled" and rows[0])
    assert (row["cost_status"], row["cost"], row["status_code"]) == ("no_usage", None, 502)
    assert row["cost_at_least"] == Decimal("0.05")  # 60 seconds at $0.05 a minute; what ran after them was not told


def test_a_translation_is_one_call_with_the_seconds_of_its_input(openai, connect_to):
    def session(ws):
        ws.send(json.dumps(CREATED | {"session": {"id": "sess_t", "model": "gpt-realtime-translate"}}))
        ws.recv()
        ws.send(json.dumps({"type": "session.closed", "usage": {"input_seconds": 60, "output_seconds": 55}}))

    openai.script("/v1/realtime/translations", session)
    client = connect_to("/realtime/translations?model=gpt-realtime-translate")
    client.receive()
    client.send(type="session.input_audio_buffer.append", audio="AAAA")
    client.receive()
    assert [row["cost"] for row in client.rows()] == [Decimal("0.034")]


def test_a_connection_attached_to_a_live_session_is_refused_and_says_why(connect_to):
    with pytest.raises(InvalidStatus) as refused:
        connect_to("/live/sessions/live_1/attach")
    assert "counted twice" in json.loads(refused.value.response.body)["error"]["message"]
