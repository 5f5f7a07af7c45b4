"""Clients that leave, and a gateway that is told to stop: the call is still settled, within time and byte limits."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from fake_openai import chat_events
from fake_replies import SSE_TYPE, Wire
from fake_upstream import FakeUpstream, hang, reply_sse
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "stream": True}
PRICE = Decimal("0.00000885")
EVENTS = list(chat_events(CHAT | {"stream_options": {"include_usage": True}}))


@pytest.fixture(scope="module")
def made(stack_dsns):
    with FakeUpstream() as fake:
        environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url}
        environ |= {"DRAIN_SECONDS": "60", "DRAIN_BYTES": "20000", "WORKERS": "1"}
        with Stack(*stack_dsns("spendai_stop"), **environ) as stack:
            yield stack, fake


@pytest.fixture
def stack(made):
    stack, _ = made
    if stack.process.poll() is not None:
        stack.start()
    return stack


@pytest.fixture
def fake(made):
    return made[1]


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def leave(stack: Stack) -> str:
    """Begin a stream and hang up after its first bytes; the call's id."""
    answer = stack.post(json=CHAT, stream=True)
    next(answer.iter_content(None))
    answer.close()
    return answer.headers["x-spendai-call-id"]


def settled(stack: Stack, call_id: str) -> dict:
    return stack.wait_for(lambda: (row := stack.row(call_id)) and row["state"] == "settled" and row)


def test_reading_on_for_a_client_that_left_ends_after_so_many_bytes(stack, fake):
    flood, left = [EVENTS[0], *(b": " + b"x" * 1000 + b"\n\n" for _ in range(2000)), *EVENTS[1:]], threading.Event()
    fake.queue("/v1/chat/completions", reply_sse(flood, gates=[opened(), left]))
    call_id = leave(stack)
    left.set()
    row = settled(stack, call_id)
    assert (row["status_code"], row["cost"], row["cost_status"]) == (499, None, "no_usage")


def test_reading_on_for_a_client_that_left_ends_after_so_many_seconds(stack, fake):
    def trickle(wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, ("transfer-encoding", "chunked")])
        wire.chunk(EVENTS[0])
        while True:
            wire.chunk(b": still here\n\n")
            wire.pause(0.1)

    fake.queue("/v1/chat/completions", trickle)
    stack.stop()
    stack.environ["DRAIN_SECONDS"] = "1"
    try:
        stack.start()
        row = settled(stack, leave(stack))
        assert (row["status_code"], row["cost"], row["cost_status"]) == (499, None, "no_usage")
    finally:
        stack.environ["DRAIN_SECONDS"] = "60"
        stack.stop()


def test_told_to_stop_the_gateway_lets_a_stream_end_and_settles_it(stack, fake):
    gates = [threading.Event() for _ in EVENTS]
    gates[0].set()
    fake.queue("/v1/chat/completions", reply_sse(EVENTS, gates=gates))
    answer = stack.post(json=CHAT, stream=True)
    chunks = answer.iter_content(None)
    received = [next(chunks)]
    stack.process.send_signal(signal.SIGTERM)
    stack.wait_for(lambda: _refused(stack))
    for gate in gates:
        gate.set()
    received += list(chunks)
    assert b"".join(received).endswith(b"data: [DONE]\n\n")
    row = settled(stack, answer.headers["x-spendai-call-id"])
    assert (row["status_code"], row["cost"]) == (200, PRICE)
    assert stack.process.wait(60) == 0


def _refused(stack: Stack) -> bool:
    """Whether the gateway takes no more calls."""
    try:
        stack.post(json=CHAT | {"stream": False})
    except OSError:
        return True
    return False


def test_told_to_stop_while_it_reads_on_for_nobody_it_still_settles(stack, fake):
    left, stopping = threading.Event(), threading.Event()
    fake.queue("/v1/chat/completions", reply_sse(EVENTS, gates=[opened(), left, left, stopping]))
    call_id = leave(stack)
    left.set()
    stack.process.send_signal(signal.SIGTERM)
    stack.wait_for(lambda: _refused(stack))
    stopping.set()
    assert stack.process.wait(60) == 0
    row = settled(stack, call_id)
    assert (row["status_code"], row["cost"]) == (499, PRICE)


def test_a_worker_that_has_to_end_at_once_leaves_its_calls_to_the_next_one(stack, fake):
    gates = [threading.Event() for _ in EVENTS]
    gates[0].set()
    fake.queue("/v1/chat/completions", reply_sse(EVENTS, gates=gates))
    answer = stack.post(json=CHAT, stream=True)
    next(answer.iter_content(None))
    call_id = answer.headers["x-spendai-call-id"]
    assert stack.row(call_id)["state"] == "open"
    os.killpg(stack.process.pid, signal.SIGQUIT)
    stack.process.wait(60)
    stack.start()
    row = settled(stack, call_id)
    assert (row["status_code"], row["cost"], row["cost_status"]) == (503, None, "no_usage")


def test_a_form_that_was_under_way_when_the_worker_ended_keeps_its_model_and_end_user(stack, fake):
    fake.queue("/v1/audio/transcriptions", hang())
    form = {"data": {"model": "whisper-1", "user": "u-42"}, "files": {"file": ("a.wav", b"RIFF", "audio/wav")}}
    with ThreadPoolExecutor(1) as pool:
        pool.submit(stack.post, "/audio/transcriptions", headers={"x-spendai-tags": "team=search"}, **form)
        stack.wait_for(lambda: fake.requests[-1].path == "/v1/audio/transcriptions")
        os.killpg(stack.process.pid, signal.SIGQUIT)
        stack.process.wait(60)
    stack.start()
    query = "select * from public.usage_logs where endpoint = '/v1/audio/transcriptions' and state = 'settled'"
    row = stack.wait_for(lambda: stack.conn.execute(query).fetchone())
    assert (row["status_code"], row["cost_status"]) == (503, "no_usage")
    assert (row["model_requested"], row["end_user"], row["tags"]) == ("whisper-1", "u-42", {"team": "search"})
