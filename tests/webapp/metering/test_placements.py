"""Where servers put the usage of a streamed chat, and how they label the stream: the count is always the same."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from captures import (
    CHAT_JSON,
    CHAT_SSE,
    CHAT_TEXT,
    CHAT_USAGE,
    CHAT_USAGE_EVENT,
    DONE,
    RESPONSE,
    chat_chunk,
    response_sse,
)
from fake_openai import data
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metering import JSON, NOT_ASKED, RESPONSES, SSE, cut, meter, not_asked, run, splits

from webapp.metering import RequestFacts
from webapp.metering.usage import fuller

ASKED, INJECTED = RequestFacts(stream=True), RequestFacts(stream=True, injected=True)
ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
DETAILS = {name: CHAT_USAGE[name] for name in ("prompt_tokens_details", "completion_tokens_details")}
COUNTS = {name: CHAT_USAGE[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
FINISH = [{"index": 0, "delta": {}, "finish_reason": "stop"}]


def chunk(usage: Any = None, **more: Any) -> bytes:
    """A chunk with text, and with usage where a server puts it into such chunks."""
    choices = [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]
    return data({"model": "m-1", "choices": choices} | ({"usage": usage} if usage is not None else {}) | more)


def grown(tokens: int) -> dict[str, Any]:
    """What a server that counts on in every chunk says after so many tokens."""
    return {"prompt_tokens": 2006, "completion_tokens": tokens, "total_tokens": 2006 + tokens}


# What may come before the whole usage, and after it: nothing of it changes the count.
BEFORE = [
    chunk(),
    data({"choices": [], "usage": None}),
    chunk(usage=ZEROS),
    data({"choices": [], "usage": ZEROS}),
    chunk(usage=grown(1)),
    chunk(usage=grown(299)),
    chunk(usage={"prompt_tokens": 2006}),
    chunk(usage=DETAILS),
    chunk(usage={}),
    chunk(x_groq={"id": "req_1"}),
    chunk(x_groq={"usage": grown(7) | {"queue_time": 0.01}}),
]
AFTER = [
    *BEFORE,
    chunk(usage={"completion_tokens": 300}),
    chunk(usage=COUNTS),
    chunk(usage=COUNTS | {"prompt_tokens_details": {"cached_tokens": 0}}),
    chunk(usage=COUNTS | {"prompt_tokens_details": None}),
]
WHOLE = [
    [data({"choices": [], "usage": CHAT_USAGE})],
    [data({"choices": FINISH, "usage": CHAT_USAGE})],
    [data({"choices": FINISH, "x_groq": {"id": "r", "usage": CHAT_USAGE}})],
    [data({"choices": FINISH, "usage": COUNTS, "x_groq": {"usage": DETAILS}})],
    [data({"choices": FINISH, "usage": COUNTS}), data({"choices": [], "usage": DETAILS})],
    [chunk(usage={"prompt_tokens": 2006, "prompt_tokens_details": DETAILS["prompt_tokens_details"]}),
     data({"choices": FINISH, "usage": {k: v for k, v in CHAT_USAGE.items() if k.startswith("completion")}})],
]  # fmt: skip
PLACED = st.tuples(
    st.lists(st.sampled_from(BEFORE), max_size=4), st.sampled_from(WHOLE), st.lists(st.sampled_from(AFTER), max_size=3)
)


STEPS = [1, 2, 7, 10_000]


def pieces(body: bytes, step: int) -> list[bytes]:
    """A body in chunks of so many bytes."""
    return cut(body, range(step, len(body), step))


def counts(usage: dict[str, Any]) -> dict[str, Any]:
    """The counts of a usage object; its total is the sum, where it is given."""
    assert usage.get("total_tokens", 2306) == 2306
    return {name: usage.get(name) for name in CHAT_USAGE if name != "total_tokens"}


@settings(max_examples=60)
@given(PLACED, st.booleans(), st.booleans(), st.data())
def test_every_placement_of_usage_gives_the_same_count(placed, marker_first, injected, drawn):
    before, whole, after = placed
    events = [DONE, *before, *whole, *after] if marker_first else [*before, *whole, *after, DONE]
    chunks = drawn.draw(splits(b"".join(events)))
    facts = run(meter(facts=INJECTED if injected else ASKED), chunks)[2]
    assert facts.complete and counts(facts.usage) == counts(CHAT_USAGE)


@given(st.lists(st.sampled_from([data({"choices": [], "usage": ZEROS}), chunk(usage=ZEROS), chunk()])), st.data())
def test_usage_after_the_end_marker_is_read_and_held(before, drawn):
    stream, tail = b"".join(before), DONE + CHAT_USAGE_EVENT
    early, late, facts = run(meter(facts=ASKED), drawn.draw(splits(stream + tail)))
    assert (early, late) == (stream, tail)
    assert facts.complete and facts.usage == CHAT_USAGE


@given(splits(CHAT_TEXT + DONE + CHAT_USAGE_EVENT + b": bye\n\n"))
def test_injected_usage_after_the_end_marker_is_hidden(chunks):
    early, late, facts = run(meter(facts=INJECTED), chunks)
    assert (early, late, facts.usage) == (NOT_ASKED, DONE + b": bye\n\n", CHAT_USAGE)


def test_what_is_held_after_an_end_marker_is_bounded():
    m = meter(facts=ASKED)
    assert m.feed(CHAT_TEXT + DONE) == CHAT_TEXT and m.ended and not m.terminal
    fed = 0
    while not m.terminal:
        assert m.feed(b": " + b"x" * 1_000_000 + b"\n\n") == b""
        fed += 1_000_004
    assert fed < 20_000_000 and len(m.release()) == fed + len(DONE)


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([chunk(usage=grown(7))], None),
        ([chunk(usage=ZEROS)], None),
        ([data({"choices": [], "usage": ZEROS})], None),
        ([data({"choices": FINISH, "usage": grown(300)})], grown(300)),
        ([data({"choices": [], "usage": grown(300)})], grown(300)),
    ],
)
def test_of_a_stream_that_broke_off_only_the_last_usage_counts(events, usage):
    facts = run(meter(facts=ASKED), [CHAT_TEXT, *events], complete=False)[2]
    assert (facts.usage, facts.complete) == (usage, False)


def test_counts_of_zero_are_a_cost_only_at_the_regular_end_of_a_stream():
    placeholder, told = chunk(usage=ZEROS), data({"choices": [], "usage": ZEROS})
    assert run(meter(facts=ASKED), [placeholder, DONE])[2].usage is None
    assert run(meter(facts=ASKED), [told])[2].usage is None
    assert run(meter(facts=ASKED), [told, DONE])[2].usage == ZEROS


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # contradictions: the larger total counts, of equal totals the later one, and nothing is mixed
        (grown(5), {"prompt_tokens": 2000, "completion_tokens": 12}, {"prompt_tokens": 2000, "completion_tokens": 12}),
        (grown(5), {"total_tokens": 2020}, {"total_tokens": 2020}),
        ({"total_tokens": 20}, {"completion_tokens": 4}, {"total_tokens": 20}),
        (DETAILS | grown(9), grown(10), {**grown(10), "prompt_tokens_details": DETAILS["prompt_tokens_details"]}),
        (grown(1), {"completion_tokens": 3}, {"prompt_tokens": 2006, "completion_tokens": 3}),
        (DETAILS, COUNTS, CHAT_USAGE),
    ],
)
def test_what_contradicts_is_not_mixed(one, other, expected):
    assert fuller(one, other) == expected


# --- "usage":null


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ('{"choices":[{"delta":{}}],"usage":null}', '{"choices":[{"delta":{}}]}'),
        ('{"choices":[{"delta":{}}],"usage":null,"obfuscation":"a"}', '{"choices":[{"delta":{}}],"obfuscation":"a"}'),
        ('{"choices":[{"a":1}],"usage":null,"b":[{"usage":null}]}', '{"choices":[{"a":1}],"b":[{"usage":null}]}'),
        ('{"choices":[{"a":1,"usage":null}],"usage":null}', '{"choices":[{"a":1,"usage":null}]}'),
        ('{"usage" : null , "choices":[{"a":1}]}', '{ "choices":[{"a":1}]}'),
        ('{"id":"x", "usage": null, "choices":[{"a":{"b":[]}}]}', '{"id":"x", "choices":[{"a":{"b":[]}}]}'),
    ],
)
@pytest.mark.parametrize("step", STEPS)
def test_a_usage_of_null_is_taken_out_where_the_gateway_asked(sent, seen, step):
    stream, visible = (f": c\n\ndata: {text}\n\n".encode() + DONE for text in (sent, seen))
    before, after, _ = run(meter(facts=INJECTED), pieces(stream, step))
    assert before + after == visible
    before, after, _ = run(meter(facts=ASKED), [stream])
    assert before + after == stream


@pytest.mark.parametrize(
    "kept",
    [
        '{"choices":[{"delta":{"content":",\\"usage\\":null}"},"usage":null}]}',
        '{"choices":[{"a":1,"usage":null}],"b":"}"}',
        '{"choices":[],"x\\"usage":null}',
        '{"usage":null}',
        '{"choices":[],"usage":nullx}',
        '{"choices":[],\ndata: "usage":null}',
    ],
)
def test_no_other_null_is_taken_out(kept):
    stream = f"data: {kept}\n\n".encode() + DONE
    before, after, _ = run(meter(facts=INJECTED), [stream])
    assert before + after == stream


# --- labels

LABELS = ["application/json", "application/json; charset=utf-8", "", "text/plain", "application/octet-stream"]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("step", STEPS)
def test_a_stream_that_was_asked_for_is_metered_whatever_its_label(label, step):
    for facts, visible in ((ASKED, CHAT_TEXT + CHAT_USAGE_EVENT), (INJECTED, NOT_ASKED)):
        before, after, found = run(meter(content_type=label, facts=facts), pieces(CHAT_SSE, step))
        assert (before, after) == (visible, DONE)
        assert found.complete and found.usage == CHAT_USAGE


@pytest.mark.parametrize("label", ["application/json", ""])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b": hi\n\n", b"retry: 3\n\n", b"id: 7\n"])
def test_a_response_stream_labelled_as_json_is_metered(label, begin):
    stream = begin + response_sse(RESPONSE)
    before, after, facts = run(meter(RESPONSES, label, facts=ASKED), cut(stream, range(0, len(stream), 3)))
    assert before + after == stream and facts.complete and facts.usage == RESPONSE["usage"]
    assert after.startswith(b"event: response.completed")


@pytest.mark.parametrize("label", [SSE, JSON, ""])
@pytest.mark.parametrize("facts", [ASKED, INJECTED])
@pytest.mark.parametrize("step", STEPS)
def test_json_in_answer_to_a_request_for_a_stream_is_metered_and_unchanged(label, facts, step):
    before, after, found = run(meter(content_type=label, facts=facts), pieces(b"\n " + CHAT_JSON, step))
    assert before + after == b"\n " + CHAT_JSON
    assert found.complete and found.usage == CHAT_USAGE


@pytest.mark.parametrize(("label", "body"), [(JSON, CHAT_SSE), (SSE, CHAT_JSON)])
@pytest.mark.parametrize("step", STEPS)
def test_a_compressed_answer_with_the_wrong_label_is_metered_and_untouched(label, body, step):
    packed = gzip.compress(body)
    before, after, found = run(meter(content_type=label, facts=ASKED, encoding="gzip"), pieces(packed, step))
    assert before + after == packed and found.usage == CHAT_USAGE


@pytest.mark.parametrize(("facts", "label"), [(RequestFacts(), JSON), (ASKED, "audio/mpeg")])
def test_the_label_is_believed_where_no_stream_was_asked_for_or_it_is_no_text(facts, label):
    before, after, found = run(meter(content_type=label, facts=facts), [CHAT_SSE])
    assert before + after == CHAT_SSE and found.usage is None


@pytest.mark.parametrize("body", [b"", b"  \n", b"da", b"\xef\xbb"])
@pytest.mark.parametrize("label", [SSE, JSON])
def test_an_answer_that_ends_before_it_shows_what_it_is_passes(label, body):
    before, after, found = run(meter(content_type=label, facts=ASKED), cut(body, range(len(body))))
    assert before + after == body and found.usage is None
    assert found.complete is (label == JSON)


def test_an_error_is_passed_byte_for_byte_although_usage_was_asked_for():
    body = b'data: {"error":{"message":"x"},"usage":null}\n\n' + json.dumps({"choices": [], "usage": None}).encode()
    before, after, _ = run(meter(facts=INJECTED, status=500), [body])
    assert before + after == body and chat_chunk("a") != not_asked(chat_chunk("a"))
