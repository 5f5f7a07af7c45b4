"""Chat chunks that come together are read at once, and give what they give one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks import examples
from hypothesis import given
from hypothesis import strategies as st

from webapp.metering import AnswerFacts, Meter, deltas, read_json_request

CHAT = "/v1/chat/completions"
BASE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
USAGE = {"prompt_tokens": 30, "completion_tokens": 100, "total_tokens": 130}


def event(text: str = "word", *, choices: bool = True, before: str = "", after: str = "\n\n", **more: Any) -> bytes:
    delta = [{"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}]
    whole = BASE | {"choices": delta if choices else []} | more
    return f"{before}data: {json.dumps(whole, separators=(',', ':'))}{after}".encode()


def asked(*, usage: bool) -> Any:
    body = {"model": "gpt-4o-mini", "messages": [], "stream": True} | (
        {"stream_options": {"include_usage": True}} if usage else {}
    )
    return read_json_request(CHAT, json.dumps(body).encode())


def read(pieces: list[bytes], *, usage: bool = False) -> tuple[bytes, AnswerFacts, bool]:
    """What the client gets, what the meter read, and whether the end was seen."""
    meter = Meter(CHAT, "POST", asked(usage=usage), 200, "text/event-stream", "")
    passed = b"".join(meter.feed(piece) for piece in pieces)
    terminal = meter.terminal
    meter.finish()
    return passed + meter.release(), meter.result(True), terminal


def one_by_one(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch, **options: bool) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(deltas, "leading", lambda data: (b"", b""))
        return read(pieces, **options)


PLAIN = [event(), event("x" * 50, usage=None), event(service_tier="default", usage=None), event(service_tier="flex"),
         event(service_tier=None, usage=None, obfuscation="xY"), event(usage=None, service_tier="default"),
         event('say "usage":null}\n\n and "usage":{ \\')]  # fmt: skip
ODD = [
    event(choices=False, usage=USAGE), event(usage=USAGE), event(choices=False, usage=USAGE, service_tier="flex"),
    event(choices=False, usage={}), event(usage=7), event(usage=None, more={"usage": None}),
    event(before="event: x\n"), event(before=": note\n"), event(after="\r\n\r\n"), event(after="\n\n\n"),
    event(after="\n"), event().replace(b":", b": "), event(usage=None).replace(b":null", b" : null"),
    event(service_tier="flex").replace(b'tier":', b'tier" : '), event().replace(b"data: ", b"data:"),
    b'data: {"error":{"message":"no"}}\n\n', b"data: [DONE]\n\n", b": ping\n\n", b"\n", b"data: \n\n", b"data: {}\n\n",
    event(usage=None, n=1), event(usage=None, obfuscation="a\"b"),
    b'data: {"id":"x"}\ndata: {"usage":{}}\n\n',
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(PLAIN * 4 + ODD + [event(model="")]), max_size=12)


@given(
    events=STREAMS,
    end=st.sampled_from((b"", event(choices=False, usage=USAGE) + b"data: [DONE]\n\n")),
    cuts=st.lists(st.integers(0, 3000), max_size=4),
    usage=st.booleans(),
)
@examples(300)
def test_read_together_as_one_by_one(events: list[bytes], end: bytes, cuts: list[int], usage: bool) -> None:
    stream, places = b"".join(events) + end, sorted(cuts)
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        assert read(pieces, usage=usage) == one_by_one(pieces, patch, usage=usage)


def test_a_whole_stream_in_one_piece_is_read_as_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event(f"w{n}", service_tier="default", usage=None, obfuscation="xy") for n in range(9)]
    stream = b"".join(events) + event(choices=False, usage=USAGE) + b"data: [DONE]\n\n"
    assert deltas.leading(stream)[0] == b"".join(events)
    client, facts, terminal = read([stream])
    assert client == b"".join(events).replace(b',"usage":null', b"") + b"data: [DONE]\n\n"
    assert (facts.usage, facts.service_tier, facts.object_id, terminal) == (USAGE, "default", "chatcmpl-1", True)
    assert read([stream]) == one_by_one([stream], monkeypatch)


@pytest.mark.parametrize("odd", ODD)
def test_anything_else_is_no_part_of_a_run(odd: bytes) -> None:
    assert deltas.leading(odd) == (b"", b"")
    assert deltas.leading(event() + odd)[0] in (b"", event())


def test_a_defect_in_reading_a_run_keeps_nothing_from_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise RuntimeError

    monkeypatch.setattr(deltas, "leading", broken)
    client, facts, _ = read([event() + event()])
    assert client == event() + event() and not facts.complete
