"""Responses over WebSocket through the running product: each response is a priced row, written before it is sent."""

from __future__ import annotations

import json
import socket
import threading
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from scraping import DONE, counted
from websockets.exceptions import ConnectionClosed, InvalidStatus

RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5.2-2025-12-11", "status": "completed", "output": [],
            "service_tier": "default"}  # fmt: skip
USAGE = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 500,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1500}  # fmt: skip
COST = Decimal("0.00875")  # 1,000 x $1.75 + 500 x $14, per million tokens
CREATE = {"type": "response.create", "model": "gpt-5.2", "input": "hi", "store": False}


def answer(number: int = 1, kind: str = "completed", **more: Any) -> list[str]:
    """OpenAI's events for one response."""
    response = RESPONSE | {"id": f"resp_{number}", "usage": None}
    done = response | {"usage": USAGE, "status": kind}
    return [json.dumps(event | more) for event in (
        {"type": "response.created", "response": response | {"status": "in_progress"}},
        {"type": "response.output_text.delta", "delta": "Hello"},
        {"type": f"response.{kind}", "response": done},
    )]  # fmt: skip


def test_a_response_is_written_down_before_it_is_sent_and_settled_before_its_end_arrives(sockets, openai, connect_to):
    states = []

    def session(ws):
        assert json.loads(ws.recv()) == CREATE
        states.append([row["state"] for row in client.rows()])
        for event in answer():
            ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses", headers={"x-spendai-tags": "team=search"})
    client.send(**CREATE)
    assert [client.receive()["type"] for _ in range(3)] == [
        "response.created", "response.output_text.delta", "response.completed"]  # fmt: skip
    row = client.rows()[0]
    assert states == [["open"]]
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", COST, "priced")
    assert (row["endpoint"], row["method"], row["stream"]) == ("/v1/responses", "WEBSOCKET", True)
    assert (row["model_requested"], row["model"], row["tags"]) == ("gpt-5.2", "gpt-5.2-2025-12-11", {"team": "search"})
    assert (row["upstream_object_id"], row["status_code"]) == ("resp_1", 200)
    assert openai.upgrades[-1].headers["Authorization"] == "Bearer sk-own"


def test_the_session_is_a_row_with_its_end_and_its_sum(sockets, openai, connect_to):
    def session(ws):
        for number in (1, 2):
            ws.recv()
            for event in answer(number):
                ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    begun = client.session()
    for _ in range(2):
        client.send(**CREATE)
        while client.receive()["type"] != "response.completed":
            pass
    client.ws.close(1000, "done")
    row = sockets.wait_for(lambda: (found := client.session())["ended_at"] and found)
    assert (begun["state"], begun["calls"], begun["cost"]) == ("open", 0, None)
    assert (row["state"], row["close_code"], row["closed_by"]) == ("ended", 1000, "client")
    assert (row["calls"], row["unpriced_calls"], row["cost"]) == (2, 0, 2 * COST)
    assert row["key_prefix"] == sockets.key("olga")[: len(row["key_prefix"])]


def test_a_steered_response_and_its_successor_are_two_rows(sockets, openai, connect_to):
    def session(ws):
        ws.recv()
        for event in answer(1, "incomplete") + answer(2):
            ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.send(**CREATE)
    for _ in range(6):
        client.receive()
    booked = sorted((row["upstream_object_id"], row["cost"]) for row in client.rows())
    assert booked == [("resp_1", COST), ("resp_2", COST)]


def test_lanes_are_told_apart_and_an_error_settles_what_was_asked_for_in_its_lane(openai, connect_to):
    def session(ws):
        ws.recv(), ws.recv()
        first, second = answer(1, stream_id="a"), answer(2, stream_id="b")
        ws.send(json.dumps({"type": "error", "status": 429, "stream_id": "c", "error": {"code": "x", "message": "no"}}))
        for pair in zip(first, second, strict=True):
            for event in pair:
                ws.send(event)
        ws.recv()
        ws.send(json.dumps({"type": "error", "status": 400, "error": {"code": "model_not_found", "message": "no"}}))
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.send(**CREATE, stream_id="a")
    client.send(**CREATE | {"model": "gpt-5"}, stream_id="b")
    for _ in range(7):
        client.receive()
    client.send(**CREATE)
    assert client.receive()["status"] == 400
    rows = client.rows()
    begun = {(row["model_requested"], row["upstream_object_id"]) for row in rows[:2]}  # perhaps in one millisecond
    assert begun == {("gpt-5.2", "resp_1"), ("gpt-5", "resp_2")}
    assert (rows[2]["status_code"], rows[2]["cost_status"], rows[2]["cost"]) == (400, "error", 0)


def test_on_a_shared_key_each_message_is_checked(sockets, openai, connect_to):
    got = []

    def session(ws):
        while True:
            got.append(json.loads(ws.recv()))
            for event in answer(len(got)):
                ws.send(event)

    openai.script("/v1/responses", session)
    client = connect_to("/responses", "ada")
    client.send(**CREATE, previous_response_id="resp_of_others", stream_id="a")
    refusal = client.receive()
    assert (refusal["type"], refusal["status"], refusal["stream_id"]) == ("error", 403, "a")
    assert (refusal["error"]["code"], refusal["error"]["param"]) == ("needs_own_openai_key", "previous_response_id")
    client.send(**CREATE)
    for _ in range(3):
        client.receive()
    client.send(**CREATE, previous_response_id="resp_1")  # made in this session
    for _ in range(3):
        client.receive()
    assert [each.get("previous_response_id") for each in got] == [None, "resp_1"]
    assert len(client.rows()) == 2


def test_on_a_shared_key_a_response_may_name_its_lane(openai, connect_to):
    def session(ws):
        lane = json.loads(ws.recv())["stream_id"]
        for event in answer(stream_id=lane):
            ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses", "ada")
    client.send(**CREATE, stream_id="a")
    assert [client.receive()["type"] for _ in range(3)][-1] == "response.completed"
    assert [row["cost"] for row in client.rows()] == [COST]


@pytest.mark.parametrize("text", ["[]", "{", '{"type":"response.create","type":"x"}', "\x00"])
def test_a_message_that_cannot_be_read_is_refused_and_the_session_goes_on(sockets, openai, connect_to, text):
    refused = ("spendai_calls_total", {"outcome": "refused", "status": "4xx"})
    (before,) = counted(sockets, refused)

    def session(ws):
        assert json.loads(ws.recv()) == CREATE
        for event in answer():
            ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.ws.send(text)
    assert client.receive()["error"]["code"] in ("unreadable_body", "duplicate_keys")
    assert counted(sockets, refused) == [before + 1]
    client.send(**CREATE)
    assert [client.receive()["type"] for _ in range(3)][-1] == "response.completed"


def test_a_body_nested_under_response_is_read_like_a_flat_one(openai, connect_to):
    def session(ws):
        ws.recv()
        for event in answer():
            ws.send(event)
        ws.recv()

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.send(type="response.create", response={"model": "gpt-5.2", "input": "hi", "user": "u-1"})
    for _ in range(3):
        client.receive()
    row = client.rows()[0]
    assert (row["model_requested"], row["end_user"], row["cost"]) == ("gpt-5.2", "u-1", COST)


def test_a_response_whose_client_left_is_read_to_its_end(sockets, openai, connect_to):
    def session(ws):
        ws.recv()
        ws.send(answer()[0])
        assert gone.wait(10)
        for event in answer()[1:]:
            ws.send(event)
        ws.recv()

    gone = threading.Event()
    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.send(**CREATE)
    client.receive()
    client.ws.socket.shutdown(socket.SHUT_RDWR)
    gone.set()
    row = sockets.wait_for(lambda: (rows := client.rows()) and rows[0]["state"] == "settled" and rows[0])
    assert (row["cost"], row["status_code"]) == (COST, 200)
    ended = sockets.wait_for(lambda: (found := client.session())["ended_at"] and found)
    assert (ended["closed_by"], ended["close_code"]) == ("client", 1006)


def test_a_response_that_openai_breaks_off_has_no_known_cost(sockets, openai, connect_to):
    def session(ws):
        ws.recv()
        ws.send(answer()[0])
        ws.close(1013, "try again later")

    openai.script("/v1/responses", session)
    client = connect_to("/responses")
    client.send(**CREATE)
    client.receive()
    with pytest.raises(ConnectionClosed) as closed:
        client.receive()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "try again later")
    row = sockets.wait_for(lambda: (rows := client.rows()) and rows[0]["state"] == "settled" and rows[0])
    assert (row["cost"], row["cost_status"], row["status_code"]) == (None, "no_usage", 502)
    assert (row["model"], row["upstream_object_id"]) == (RESPONSE["model"], RESPONSE["id"])
    ended = sockets.wait_for(lambda: (found := client.session())["ended_at"] and found)
    assert (ended["closed_by"], ended["close_code"]) == ("openai", 1013)


def test_a_revoked_key_finishes_what_runs_and_begins_nothing_new(sockets, openai, connect_to):
    def session(ws):
        ws.recv()
        ws.send(answer()[0])
        revoked.wait(10)
        for event in answer()[1:]:
            ws.send(event)
        ws.recv()

    revoked = threading.Event()
    openai.script("/v1/responses", session)
    sockets.found_with_key("rita", "Revoked", openai.url, "sk-rita")
    client = connect_to("/responses", "rita")
    client.send(**CREATE)
    client.receive()
    sockets.conn.execute(
        "update public.api_keys set revoked_at = now() where id = %s", [sockets.people.keys["rita"].id]
    )
    revoked.set()
    assert [client.receive()["type"] for _ in range(2)][-1] == "response.completed"
    client.send(**CREATE)
    assert client.receive()["error"]["code"] == "invalid_api_key"
    assert [row["cost"] for row in client.rows()] == [COST]


def test_openais_refusal_of_the_upgrade_is_passed_on(sockets, openai, connect_to):
    openai.refusal = (HTTPStatus.TOO_MANY_REQUESTS, "slow down")
    try:
        with pytest.raises(InvalidStatus) as refused:
            connect_to("/responses")
    finally:
        openai.refusal = None
    assert (refused.value.response.status_code, refused.value.response.body) == (429, b"slow down")
    row = sockets.conn.execute("select * from public.sessions order by started_at desc limit 1").fetchone()
    assert (row["close_code"], row["closed_by"]) == (429, "openai")


def test_a_wrong_key_opens_no_session(sockets, openai, connect_to):
    before = len(openai.upgrades)
    with pytest.raises(InvalidStatus) as refused:
        connect_to("/responses", headers={"Authorization": "Bearer sk-spend-wrong"})
    assert refused.value.response.status_code == 401
    assert len(openai.upgrades) == before


def test_a_session_and_its_responses_are_counted_at_metrics(sockets, openai, connect_to):
    def session(ws):
        ws.recv()
        for event in answer():
            ws.send(event)
        ws.recv()

    first = "spendai_time_to_first_token_seconds_count"
    openai.script("/v1/responses", session)
    before = counted(sockets, DONE, first, "spendai_added_latency_seconds_count")
    client = connect_to("/responses")
    client.send(**CREATE)
    while client.receive()["type"] != "response.completed":
        pass
    assert counted(sockets, DONE, first, "spendai_added_latency_seconds_count") == [
        before[0] + 1,
        before[1] + 1,
        before[2],
    ]
    sockets.wait_for(lambda: counted(sockets, "spendai_websocket_sessions")[0] >= 1)
    client.ws.close()
    sockets.wait_for(lambda: counted(sockets, "spendai_websocket_sessions") == [0])
