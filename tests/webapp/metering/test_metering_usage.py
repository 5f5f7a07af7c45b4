"""What decides the price: usage sanitised for storing, billed tool calls, and details of the request."""

from __future__ import annotations

import json

import pytest
from captures import CHAT_JSON, RESPONSE, RESPONSE_USAGE, response_sse
from hypothesis import given
from hypothesis import strategies as st

from webapp.metering import AnswerFacts, Meter, RequestFacts

RESPONSES, IMAGES = "/v1/responses", "/v1/images/generations"


def read(answer, endpoint=RESPONSES, *, method="POST", facts=None, content_type="application/json") -> AnswerFacts:
    """The facts of a whole answer: an object, or bytes as they came."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    meter = Meter(endpoint, method, facts or RequestFacts(), 200, content_type, "")
    meter.feed(body)
    meter.finish()
    return meter.result(True)


def usage_of(text: str) -> dict | None:
    return read(b'{"object":"chat.completion","usage":' + text.encode() + b"}", "/v1/chat/completions").usage


# --- usage, made fit to store


def test_numbers_keep_their_exact_value():
    assert usage_of('{"seconds":8.470000000000000000001,"n":1e18,"prompt_tokens":12}') == {
        "seconds": "8.470000000000000000001",
        "n": "1e18",
        "prompt_tokens": 12,
    }


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "9" * 65, "0." + "1" * 70, "9" * 5000])
def test_a_count_that_cannot_be_kept_makes_the_usage_unusable(text):
    assert usage_of(f'{{"prompt_tokens":{text},"completion_tokens":1}}') is None


@pytest.mark.parametrize("text", ["null", "{}", "[]", "7", '"x"', '{"type":"tokens"}', '{"a":null,"b":true}'])
def test_usage_without_a_number_is_no_usage(text):
    assert usage_of(text) is None


def test_only_numbers_and_short_words_are_kept():
    kept = usage_of(
        json.dumps(
            {"prompt_tokens": 5, "type": "tokens", "text": "s" * 65, "k" * 65: 1, "nul\0": "a\0b\ud800", "x": [1]}
        )
    )
    assert kept == {"prompt_tokens": 5, "type": "tokens", "nul": "ab", "x": [1]}


def test_usage_is_kept_six_levels_deep():
    assert usage_of('{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}},"n":5}}}}}') == {
        "a": {"b": {"c": {"d": {"e": {}, "n": 5}}}}
    }


def test_a_megabyte_of_usage_leaves_what_the_price_needs():
    junk = {f"junk{n}": "x" * 50 for n in range(20_000)}
    details = {"cached_tokens": 3}
    kept = usage_of(json.dumps({"prompt_tokens": 5, "prompt_tokens_details": details, **junk}))
    assert kept == {"prompt_tokens": 5, "prompt_tokens_details": details}
    assert usage_of(json.dumps({f"{n}_tokens": n for n in range(20_000)})) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
)


@given(VALUES, VALUES, VALUES)
def test_nested_garbage_never_breaks_a_call(usage, tool_usage, tools):
    answer = {**RESPONSE, "usage": usage, "tool_usage": tool_usage, "tools": tools, "output": tools, "model": usage}
    facts = read(answer)
    assert facts.complete and len(json.dumps([facts.usage, facts.tools])) < 40_000
    written = json.dumps(facts.usage)
    assert "\\u0000" not in written
    json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_garbage_instead_of_json_has_no_usage():
    for body in (b"", b"<html>", b"\xff\xfe", b"[" * 100_000, CHAT_JSON[:-20], b"[1,2]"):
        assert read(body).usage is None


# --- tools of the Responses API


def call(kind: str, **more: object) -> dict:
    return {"type": kind, "id": "x_1", "status": "completed", **more}


SEARCHES = [
    call("web_search_call", action={"type": "search", "query": "secret"}),
    call("web_search_call", action={"type": "open_page", "url": "u"}),
    call("web_search_call"),
    call("file_search_call", queries=["secret"]),
]
GA, PREVIEW = {"type": "web_search"}, {"type": "web_search_preview_2025_03_11"}


def test_tool_usage_knows_best_how_many_searches_there_were():
    answer = {**RESPONSE, "tools": [GA], "tool_usage": {"web_search": {"num_requests": 5}}, "output": SEARCHES}
    assert read(answer).tools == {"web_search_calls": 5, "file_search_calls": 1}


def test_without_tool_usage_the_items_are_counted_and_pages_read_are_free():
    assert read({**RESPONSE, "tools": [GA], "output": SEARCHES}).tools == {
        "web_search_calls": 2,
        "file_search_calls": 1,
    }


def test_a_stream_is_counted_from_its_items_when_the_output_is_empty():
    stream = response_sse({**RESPONSE, "tools": [PREVIEW]}, items=[*SEARCHES, call("message", content="x")])
    facts = read(stream, content_type="text/event-stream")
    assert facts.tools == {"web_search_preview_calls": 2, "file_search_calls": 1}
    assert "secret" not in repr(facts)


@pytest.mark.parametrize(
    ("tools", "dimension"),
    [
        ([PREVIEW], "web_search_preview_calls"),
        ([GA], "web_search_calls"),
        ([], "web_search_calls"),
        ([PREVIEW, GA], "web_search_or_preview_calls"),
    ],
)
def test_preview_and_general_search_are_told_apart_by_the_tools(tools, dimension):
    answer = {**RESPONSE, "tools": tools, "tool_usage": {"web_search": {"num_requests": 1}}}
    assert read(answer).tools == {dimension: 1}


def test_a_container_is_one_session_however_often_it_is_used_and_none_when_it_was_there_before():
    code = [
        call("code_interpreter_call", container_id=name) for name in ("cntr_1", "cntr_1", "cntr_2", "cntr_old", None)
    ]
    tools = [{"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "x", "container": "cntr_old"}]
    assert read({**RESPONSE, "tools": tools, "output": code}).tools == {"container_sessions": 2}
    shell = [call("shell_call", environment={"type": "container_reference", "container_id": "cntr_3"})]
    assert read({**RESPONSE, "output": shell}).tools == {"container_sessions": 1}


def test_no_tools_where_usage_is_missing():
    facts = read({**RESPONSE, "usage": None, "output": SEARCHES})
    assert (facts.usage, facts.tools) == (None, None)


def test_an_unused_image_tool_leaves_the_usage_as_it_came():
    unused = {"image_gen": {"input_tokens": 0, "output_tokens": 0}, "web_search": {"num_requests": 0}}
    facts = read({**RESPONSE, "tool_usage": unused, "tools": [{"type": "image_generation", "model": "gpt-image-1"}]})
    assert (facts.usage, facts.tools) == (RESPONSE_USAGE, None)


@pytest.mark.parametrize(
    ("models", "found"),
    [
        (["gpt-image-1"], "gpt-image-1"),
        (["gpt-image-1", "gpt-image-1"], "gpt-image-1"),
        (["gpt-image-1", "gpt-image-1-mini"], None),
        ([None, "gpt-image-1-mini"], None),
        ([["x"], {}], None),
    ],
)
def test_of_image_tools_with_different_models_none_is_taken_for_the_one_that_drew(models, found):
    tools = [{"type": "image_generation", "model": model} for model in models]
    block = {"image_gen": {"input_tokens": 50, "output_tokens": 1056}}
    assert read({**RESPONSE, "tool_usage": block, "tools": tools}).usage["tool_usage"]["image_model"] == found


def test_image_tokens_stand_beside_the_usage_with_their_model():
    block = {
        "image_gen": {
            "input_tokens": 50,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 50},
            "output_tokens": 1056,
            "total_tokens": 1106,
        },
        "web_search": {"num_requests": 0},
    }
    facts = read({**RESPONSE, "tool_usage": block, "tools": [{"type": "image_generation", "model": "gpt-image-1"}]})
    assert facts.usage == {**RESPONSE_USAGE, "tool_usage": {**block, "image_model": "gpt-image-1"}}


def test_an_image_made_without_a_count_of_its_tokens_is_visible():
    facts = read({**RESPONSE, "output": [call("image_generation_call", result="AAAA")]})
    assert facts.usage["tool_usage"] == {"image_gen": None, "image_model": None}


@pytest.mark.parametrize(
    ("model", "tools"),
    [
        ("gpt-4o-search-preview-2025-03-11", {"web_search_preview_calls": 1}),
        ("gpt-4o-mini-search-preview", {"web_search_preview_calls": 1}),
        ("gpt-5-search-api-2025-10-14", {"web_search_calls": 1}),
        ("gpt-4o", None),
    ],
)
def test_chat_models_that_always_search_cost_one_search(model, tools):
    answer = {**json.loads(CHAT_JSON), "model": model}
    assert read(answer, "/v1/chat/completions").tools == tools
    assert read({**answer, "usage": None}, "/v1/chat/completions").tools is None


# --- objects that outlive their call


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_unfinished_response_is_pending_and_has_no_usage_yet(status):
    facts = read({**RESPONSE, "status": status, "background": True, "usage": None})
    assert (facts.pending, facts.usage, facts.object_id) == (True, None, RESPONSE["id"])


def test_a_batch_tells_its_usage_and_model_when_it_is_over():
    usage = {"input_tokens": 2178, "output_tokens": 3000, "total_tokens": 5178}
    batch = {"id": "batch_1", "object": "batch", "model": "gpt-5-2025-08-07", "usage": usage}
    for status in ("validating", "in_progress", "finalizing"):
        facts = read({**batch, "status": status}, "/v1/batches/batch_1", method="GET")
        assert (facts.pending, facts.usage) == (True, None)
    for status in ("completed", "expired", "cancelled"):
        facts = read({**batch, "status": status}, "/v1/batches/batch_1", method="GET")
        assert (facts.pending, facts.usage, facts.model, facts.object_id) == (
            False,
            usage,
            "gpt-5-2025-08-07",
            "batch_1",
        )


@pytest.mark.parametrize(("completed", "known"), [(0, True), (2, False), ("2", False), (None, True)])
def test_a_batch_that_answered_requests_without_a_token_has_no_usage(completed, known):
    usage = {"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0, "total_tokens": 0}
    batch = {"id": "batch_1", "object": "batch", "status": "completed", "usage": usage}
    counts = {"total": 5, "completed": completed, "failed": 0}
    facts = read({**batch, "request_counts": counts}, "/v1/batches/batch_1", method="GET")
    assert facts.usage == (usage if known else None)


def test_a_video_is_seconds_of_its_size_once_it_is_made():
    video = {"id": "video_1", "object": "video", "model": "sora-2-pro", "size": "1792x1024", "seconds": "8"}
    assert read({**video, "status": "queued"}, "/v1/videos").pending
    made = read({**video, "status": "completed"}, "/v1/videos/video_1", method="GET")
    assert (made.usage, made.tools, made.pending) == ({"size": "1792x1024"}, {"video_seconds": 8}, False)
    assert read({**video, "status": "failed"}, "/v1/videos/video_1", method="GET").tools is None


# --- where the request decides


def test_dall_e_is_priced_by_images_size_and_quality():
    asked = RequestFacts(model="dall-e-3", details={"images": 1, "size": "1792x1024", "quality": "hd"})
    answer = {"created": 1, "data": [{"url": "https://x/secret"}]}
    facts = read(answer, IMAGES, facts=asked)
    assert facts.usage == {"images": 1, "size": "1792x1024", "quality": "hd"}
    facts = read({"data": [{}, {}]}, IMAGES, facts=RequestFacts(model="dall-e-2", details={"images": 2}))
    assert (facts.model, facts.usage) == ("dall-e-2", {"images": 2, "size": "1024x1024", "quality": "standard"})


def test_images_of_a_request_that_names_no_model_have_no_model():
    facts = read({"data": [{}, {}]}, IMAGES, facts=RequestFacts(details={"images": 2}))
    assert (facts.model, facts.usage) == (None, {"images": 2})


def test_gpt_image_is_priced_by_its_own_usage_or_not_at_all():
    usage = {"input_tokens": 50, "output_tokens": 272, "input_tokens_details": {"text_tokens": 50, "image_tokens": 0}}
    asked = RequestFacts(model="gpt-image-1", details={"images": 1})
    assert read({"data": [{"b64_json": "A"}], "usage": usage}, IMAGES, facts=asked).usage == usage
    assert read({"data": [{"b64_json": "A"}]}, IMAGES, facts=asked).usage is None


def test_speech_is_priced_by_characters_for_tts_1_only():
    for model, usage in (
        ("tts-1", {"characters": 4095}),
        ("tts-1-hd", {"characters": 4095}),
        ("gpt-4o-mini-tts", {"characters": 4095, "at_least": True}),
    ):
        asked = RequestFacts(model=model, details={"characters": 4095})
        assert read(b"RIFF", "/v1/audio/speech", facts=asked, content_type="audio/mpeg").usage == usage


def test_a_broken_off_answer_is_not_priced_by_its_request():
    asked = RequestFacts(model="tts-1", details={"characters": 4095})
    meter = Meter("/v1/audio/speech", "POST", asked, 200, "audio/mpeg", "")
    meter.feed(b"RIFF")
    meter.finish()
    assert meter.result(False).usage is None


@pytest.mark.parametrize(
    "usage",
    [
        {"type": "duration", "seconds": 9},
        {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
            "output_tokens": 45,
            "total_tokens": 59,
        },
    ],
)
def test_transcripts_tell_tokens_or_seconds(usage):
    assert read({"text": "secret", "usage": usage}, "/v1/audio/transcriptions").usage == usage


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/vtt", "application/x-subrip"])
def test_transcripts_as_text_tell_nothing(kind):
    assert read(b'{"usage":{"seconds":5}}', "/v1/audio/transcriptions", content_type=kind).usage is None


def test_a_verbose_translation_is_its_duration_rounded_up():
    verbose = {"task": "translate", "text": "x", "duration": 8.47}
    assert read(verbose, "/v1/audio/translations").usage == {"type": "duration", "seconds": 9}
    for duration in (None, "x", -1, float("nan"), float("inf"), []):
        assert read({**verbose, "duration": duration}, "/v1/audio/translations").usage is None
    assert read({"text": "x"}, "/v1/audio/translations").usage is None
