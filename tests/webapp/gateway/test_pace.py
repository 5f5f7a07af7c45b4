"""A worker that is behind reads running streams less often; it changes no byte, and new calls do not wait."""

from __future__ import annotations

import json
import threading

import pytest
from alone import CHAT, ListLedger, environ
from fake_openai import chat_events
from fake_replies import SSE_TYPE, Wire
from fake_upstream import FakeUpstream

from webapp.config import load
from webapp.gateway import pace as module
from webapp.gateway.gateway import Gateway
from webapp.gateway.pace import FREE, MOST, STEP, Pace

STREAM = CHAT | {"stream": True}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each wait of a stream."""
    seen: list[float] = []
    monkeypatch.setattr(module.gevent, "sleep", seen.append)
    return seen


def waited(fake: FakeUpstream, waits: list[float], seconds: float, kind: tuple[str, str] = SSE_TYPE) -> int:
    """How often the answer to a call waited at a pace of so many seconds. It comes in two pieces, the second when the
    client has the first."""
    gateway = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url}))
    gateway.ledger, gateway.pace.seconds = ListLedger(), seconds
    first, *rest = chat_events(STREAM)
    has_first, before, got = threading.Event(), len(waits), b""

    def answer(wire: Wire) -> None:
        wire.head(200, [kind, ("transfer-encoding", "chunked")])
        wire.chunk(first)
        assert has_first.wait(10)
        wire.chunk(b"".join(rest))
        wire.send(b"0\r\n\r\n")

    fake.queue("/v1/chat/completions", answer)
    request = environ(json.dumps(STREAM).encode(), "application/json", "/chat/completions")
    for piece in gateway(request, lambda *_: None):
        got += piece
        if got:
            has_first.set()
    assert got == b"".join([first, *rest])
    assert set(waits[before:]) <= {seconds}
    return len(waits) - before


def test_only_small_pieces_of_a_stream_that_has_run_for_a_while_wait(
    fake: FakeUpstream, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waited(fake, waits, 0.25) == 0, "it has just begun"
    monkeypatch.setattr(module, "OLD_SECONDS", -1)
    assert waited(fake, waits, 0.25) == 1
    assert waited(fake, waits, 0) == 0, "the worker keeps up"
    assert waited(fake, waits, 0.25, ("content-type", "text/plain")) == 0, "it is no stream"
    monkeypatch.setattr(module, "SMALL", 1)
    assert waited(fake, waits, 0.25) == 0, "its pieces are large"


def test_streams_wait_while_the_event_loop_is_late_and_not_for_one_slow_moment() -> None:
    pace = Pace()
    for late in [*[FREE / 2] * 100, 1.0, *[0.0] * 20, 0.2, 0.2, 0.0]:
        pace.note(late)
        assert pace.seconds == 0
    seen = []
    for _ in range(100):
        pace.note(1.0)
        seen.append(pace.seconds)
    assert seen == sorted(seen) and seen[-1] == MOST
    seen = []
    while pace.seconds:
        seen.append(pace.seconds)
        pace.note(0.0)
    assert seen == sorted(seen, reverse=True), "it stops waiting step by step: else it would be behind again at once"
    assert 1 < len(seen) * STEP < 10, "within seconds"
