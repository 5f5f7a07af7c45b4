"""The gateway with streams that are labelled wrongly, or whose usage comes after the end marker."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from alone import CHAT, ListLedger, only, post
from fake_openai import CHAT_USAGE, chat, chat_events, data
from fake_replies import JSON_TYPE, SSE_TYPE, Wire
from fake_upstream import FakeUpstream, reply, reply_sse

from webapp.config import load
from webapp.gateway import gateway as module
from webapp.gateway.call import Call
from webapp.gateway.gateway import Gateway
from webapp.metering import Meter
from webapp.upstream.client import Answer

PATH = "/v1/chat/completions"
STREAM = CHAT | {"stream": True}
ASKED = STREAM | {"stream_options": {"include_usage": True}}
PLAIN = b"".join(chat_events(STREAM))
*TEXT, USAGE, DONE = chat_events(ASKED)


@pytest.fixture
def gateway(fake: FakeUpstream) -> Gateway:
    made = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url}))
    made.ledger = ListLedger()
    return made


def heads_of(gateway: Gateway, body: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """The headers and the body of an answer."""
    seen: list[tuple[str, str]] = []
    answer = gateway._answer
    gateway._answer = lambda call, got, start, place: answer(
        call, got, lambda status, headers: (seen.extend(headers), start(status, headers)), place
    )
    got = post(gateway, body)
    return {name.lower(): value for name, value in seen}, got.body


@pytest.mark.parametrize("headers", [[JSON_TYPE], [("content-type", "text/plain")], []])
def test_an_event_stream_with_another_label_is_metered_and_has_no_event_that_was_not_asked_for(
    gateway: Gateway, fake: FakeUpstream, headers: list[tuple[str, str]]
) -> None:
    fake.queue(PATH, reply(200, headers, b"".join([*TEXT, USAGE, DONE])))
    seen, body = heads_of(gateway, STREAM)
    assert body == PLAIN and "content-length" not in seen
    assert seen.get("content-type") == dict(headers).get("content-type")
    assert (only(gateway)["usage"], only(gateway)["outcome"]) == (CHAT_USAGE, "complete")


@pytest.mark.parametrize("label", [SSE_TYPE, JSON_TYPE])
def test_json_in_answer_to_a_request_for_a_stream_passes_and_is_metered(
    gateway: Gateway, fake: FakeUpstream, label: tuple[str, str]
) -> None:
    body = data(chat(CHAT)).removeprefix(b"data: ")
    fake.queue(PATH, reply(200, [label], body))
    assert post(gateway, STREAM).body == body
    assert only(gateway)["usage"] == CHAT_USAGE


@pytest.mark.parametrize("what", ["stream_options", "false", "null"])
def test_a_client_that_does_not_want_usage_sees_the_stream_it_would_get_from_openai(
    gateway: Gateway, fake: FakeUpstream, what: str
) -> None:
    options = {"stream_options": {}, "false": {"include_usage": False}, "null": None}[what]
    assert post(gateway, STREAM | {"stream_options": options}).body == PLAIN
    assert fake.requests[-1].json()["stream_options"] == {"include_usage": True}
    assert only(gateway)["usage"] == CHAT_USAGE


def test_usage_after_the_end_marker_is_metered(gateway: Gateway, fake: FakeUpstream) -> None:
    fake.queue(PATH, reply_sse([*TEXT, DONE, USAGE]))
    assert post(gateway, ASKED).body == b"".join([*TEXT, DONE, USAGE])
    assert only(gateway)["usage"] == CHAT_USAGE


class StaysOpen:
    """A reply that sends some chunks, more when ``awaited`` is set, and never the end of the body."""

    def __init__(self, *chunks: bytes, late: list[bytes]) -> None:
        self.chunks, self.late, self.awaited, self.over = chunks, late, threading.Event(), threading.Event()

    def __call__(self, wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, ("transfer-encoding", "chunked")])
        for chunk in self.chunks:
            wire.chunk(chunk)
        assert self.awaited.wait(20)
        for chunk in self.late:
            wire.chunk(chunk)
        self.over.wait(60)


@pytest.mark.parametrize(("late", "usage"), [([], None), ([USAGE], CHAT_USAGE)])
def test_an_upstream_that_leaves_the_stream_open_after_the_end_marker_holds_nobody_up(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch, late: list[bytes], usage: Any
) -> None:
    monkeypatch.setattr(module, "TAIL_SECONDS", 60)
    stays, at_end, left = StaysOpen(*TEXT, DONE, late=late), gateway._at_end, []

    def ends(call: Call, answer: Answer, meter: Meter) -> bytes:
        """The time is over when everything is read that the upstream sends."""
        piece = at_end(call, answer, meter)
        left.append(answer._deadline - call.end_seen)
        stays.awaited.set()
        if len(left) > len(late):
            answer.stop_at(0)
        return piece

    gateway._at_end = ends
    fake.queue(PATH, stays)
    got = post(gateway, ASKED)
    stays.over.set()
    assert left == pytest.approx([60] * (1 + len(late)))
    assert (got.body, got.broken) == (b"".join([*TEXT, DONE, *late]), False)
    assert (only(gateway)["usage"], only(gateway)["status_code"]) == (usage, 200)


def test_a_stream_that_breaks_off_after_the_first_of_several_counts_has_unknown_cost(
    gateway: Gateway, fake: FakeUpstream
) -> None:
    counting = data({"choices": [{"delta": {"content": "x"}, "finish_reason": None}], "usage": CHAT_USAGE})

    def broken(wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, ("transfer-encoding", "chunked")])
        wire.chunk(counting)
        raise OSError("broken off")

    fake.queue(PATH, broken)
    got = post(gateway, ASKED)
    assert (got.body, got.broken) == (counting, True)
    assert (only(gateway)["usage"], only(gateway)["outcome"]) == (None, "no_usage")
