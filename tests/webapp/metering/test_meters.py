"""Meters beside the usage of an answer: completion windows, containers, SVG images, the image tool, seconds."""

from __future__ import annotations

import json

import pytest
from captures import RESPONSE, RESPONSE_USAGE, event, response_sse

from webapp.metering import AnswerFacts, Meter, RequestFacts, read_json_request
from webapp.metering.selected import SMALL

RESPONSES, IMAGES, CONTAINERS = "/v1/responses", "/v1/images/generations", "/v1/containers"
CODE = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "cntr_1"}
SHELL = {"type": "shell_call", "id": "sh_1", "status": "completed", "environment": {"container_id": "cntr_2"}}
DRAWN = {"type": "image_generation_call", "id": "ig_1", "status": "completed"}
SVG = {"model": "gpt-6.1-sol", "input_tokens": 10, "output_tokens": 5, "reasoning_tokens": 2, "total_tokens": 15}


def asked(endpoint: str = RESPONSES, **fields: object) -> RequestFacts:
    return read_json_request(endpoint, json.dumps({"model": "gpt-6.1-sol", **fields}).encode())


def read(answer, endpoint=RESPONSES, *, facts=None, method="POST", kind="application/json") -> AnswerFacts:
    """The facts of a whole answer: an object, or the bytes of a stream."""
    meter = Meter(endpoint, method, facts or RequestFacts(), 200, kind, "")
    meter.feed(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
    meter.finish()
    return meter.result(True)


def stream(*events: bytes, endpoint=RESPONSES, facts=None) -> AnswerFacts:
    return read(b"".join(events), endpoint, facts=facts, kind="text/event-stream")


# --- completion windows


def window(word: object, **fields: object) -> RequestFacts:
    return asked(**{"background": True, "background_options": {"completion_window": word}, **fields})


def test_a_completion_window_waits_beside_the_object_until_its_usage_is_there():
    queued = {**RESPONSE, "status": "queued", "background": True, "usage": None}
    facts = read(queued, facts=window("2h"))
    assert (facts.pending, facts.usage) == (True, {"completion_window": "2h"})
    done = read(RESPONSE, facts=window("8h"))
    assert (done.pending, done.usage) == (False, {**RESPONSE_USAGE, "completion_window": "8h"})
    assert read({**RESPONSE, "usage": None}, facts=window("8h")).usage is None


@pytest.mark.parametrize(
    "facts",
    [
        window("soonest"),
        window(None),
        window(2),
        window(["2h"]),
        window("2h", background=False),
        window("2h", background="true"),
        window("2h", stream=True),
        asked(background=True),
        asked(background=True, background_options="2h"),
        read_json_request(
            "/v1/chat/completions", b'{"background":true,"background_options":{"completion_window":"2h"}}'
        ),
    ],
)
def test_without_a_window_that_counts_there_is_nothing_beside_the_usage(facts):
    assert "completion_window" not in facts.details
    assert read({**RESPONSE, "status": "queued", "background": True, "usage": None}, facts=facts).usage is None


def test_the_name_of_a_window_is_bounded():
    assert window("x" * 100).details == {"completion_window": "x" * 40}


# --- containers


@pytest.mark.parametrize(
    ("in_answer", "in_request", "dimension"),
    [
        ("4g", None, "container_sessions:4g"),
        (None, "16g", "container_sessions:16g"),
        ("1g", "16g", "container_sessions"),
        (None, None, "container_sessions"),
        ("1g", None, "container_sessions"),
        ("64 GB!", None, "container_sessions:64gb"),
        ("x" * 50, None, "container_sessions:" + "x" * 20),
        (4, None, "container_sessions:4"),
        ({}, None, "container_sessions:unknown"),
    ],
)
def test_a_container_is_priced_by_its_memory_in_the_answer_or_else_in_the_request(in_answer, in_request, dimension):
    for item, tool, place, kind in (
        (CODE, "code_interpreter", "container", "auto"),
        (SHELL, "shell", "environment", "container_auto"),
    ):
        said, told = ([{"type": tool, place: {"type": kind, "memory_limit": m}}] for m in (in_answer, in_request))
        answer = {**RESPONSE, "tools": said, "output": [item, item]}
        assert read(answer, facts=asked(tools=told)).tools == {dimension: 1}


def test_containers_of_several_sizes_are_counted_apart_and_one_that_was_named_not_at_all():
    tools = [
        {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}},
        {"type": "shell", "environment": {"type": "container_auto", "memory_limit": "16g"}},
        {"type": "other", "container": "cntr_old"},
    ]
    items = [CODE, SHELL, CODE | {"container_id": "cntr_3"}, CODE | {"container_id": "cntr_old"}]
    told = {"container_sessions:4g": 2, "container_sessions:16g": 1}
    assert read({**RESPONSE, "tools": tools, "output": items}).tools == told
    whole = {**RESPONSE, "tools": tools}
    assert read(response_sse(whole, items=items), kind="text/event-stream").tools == told


@pytest.mark.parametrize(("count", "told"), [(0, False), (1, True), (32, True), (33, False)])
def test_the_ledger_is_told_which_containers_an_answer_ran_in_unless_they_are_too_many(count, told):
    names = [f"cntr_{number}" for number in range(count)]
    items = [CODE | {"container_id": name} for name in names]
    facts = read(
        {**RESPONSE, "output": [*items, *items, CODE | {"container_id": {"id": 7}}, SHELL | {"environment": 7}]}
    )
    assert facts.containers == (dict.fromkeys(names, "container_sessions") if told else None)
    assert facts.tools == ({"container_sessions": count} if count else None)


def test_two_sizes_for_one_kind_of_tool_have_no_price():
    tools = [{"type": "shell", "environment": {"memory_limit": size}} for size in ("4g", "16g")]
    assert read({**RESPONSE, "tools": tools, "output": [SHELL]}).tools == {"container_sessions:mixed": 1}


def test_a_container_made_by_itself_is_one_session():
    made = {"id": "cntr_1", "object": "container", "name": "x", "status": "running"}
    for answer, request, dimension in (
        (made, {}, "container_sessions"),
        (made | {"memory_limit": "4g"}, {}, "container_sessions:4g"),
        (made, {"memory_limit": "64g"}, "container_sessions:64g"),
        (made | {"memory_limit": "1g"}, {"memory_limit": "64g"}, "container_sessions"),
    ):
        facts = read(answer, CONTAINERS, facts=asked(CONTAINERS, **request))
        assert (facts.usage, facts.tools, facts.object_id) == (None, {dimension: 1}, "cntr_1")
    assert read(made, "/v1/containers/{container_id}", method="GET").tools is None


# --- SVG images


def test_svg_usage_stands_beside_the_usage_of_images():
    usage = {"input_tokens": 5, "output_tokens": 100}
    facts = read({"data": [{}], "usage": usage, "svg_usage": SVG}, IMAGES)
    assert facts.usage == {**usage, "svg_usage": SVG}
    assert read({"data": [{}], "usage": usage, "svg_usage": None}, IMAGES).usage == usage


def test_svg_usage_of_streamed_images_is_added_up():
    usage = {"input_tokens": 5, "output_tokens": 100}
    end = event("image_generation.completed", b64_json="A", usage=usage, svg_usage=SVG)
    facts = stream(end, end, endpoint=IMAGES, facts=RequestFacts(details={"images": 2}))
    assert facts.usage == {
        "input_tokens": 10,
        "output_tokens": 200,
        "svg_usage": SVG | {"input_tokens": 20, "output_tokens": 10, "reasoning_tokens": 4, "total_tokens": 30},
    }


def test_svg_usage_of_images_in_a_response_is_one_object_for_each_model():
    other = SVG | {"model": "gpt-6.2-sol"}
    items = [DRAWN | {"svg_usage": SVG}, DRAWN | {"svg_usage": other}, DRAWN | {"svg_usage": SVG}]
    doubled = SVG | {"input_tokens": 20, "output_tokens": 10, "reasoning_tokens": 4, "total_tokens": 30}
    for facts in (
        read({**RESPONSE, "output": items}),
        read(response_sse(RESPONSE, items=items), kind="text/event-stream"),
    ):
        assert facts.usage == {**RESPONSE_USAGE, "svg_usage": [doubled, other]}
    assert read({**RESPONSE, "output": items[:1]}).usage == {**RESPONSE_USAGE, "svg_usage": SVG}


@pytest.mark.parametrize("block", [{"model": "gpt-6.1-sol"}, "x", [1], {"model": "gpt-6.1-sol", "input_tokens": "NaN"}])
def test_svg_usage_that_cannot_be_read_is_not_left_out(block):
    facts = read({**RESPONSE, "output": [DRAWN | {"svg_usage": block}]})
    assert facts.usage["svg_usage"]["dropped_details"] == 1


def test_the_model_of_an_svg_is_not_taken_for_that_of_a_very_large_answer():
    usage = {"input_tokens": 5, "output_tokens": 100}
    answer = {"data": [{"b64_json": "A" * (SMALL)}], "usage": usage, "svg_usage": SVG}
    facts = read(answer, IMAGES)
    assert (facts.model, facts.usage) == (None, {**usage, "svg_usage": SVG})


def test_the_items_of_a_very_large_response_are_counted():
    search = {"type": "web_search_call", "action": {"type": "search"}, "status": "completed"}
    message = {"type": "message", "content": "A" * SMALL, "usage": {"input_tokens": 7}, "model": "x"}
    run = {"type": "code_interpreter_call", "container_id": "cntr_1", "code": "A" * SMALL}
    answer = {**RESPONSE, "output": [search, message, search, run]}
    assert read(answer).usage == RESPONSE_USAGE
    assert read(answer).tools == {"web_search_calls": 2, "container_sessions": 1}


def test_a_response_with_more_items_than_are_read_has_no_usage():
    answer = {**RESPONSE, "output": [{"type": "web_search_call"}] * 10_001}
    facts = read(answer)
    assert (facts.usage, facts.tools, facts.complete) == (None, None, False)


# --- the image tool


def test_cached_tokens_of_the_image_tool_are_kept_whole():
    block = {
        "input_tokens": 1000,
        "input_tokens_details": {"image_tokens": 800, "text_tokens": 200},
        "cached_tokens": 500,
        "cached_tokens_details": {"cached_text_tokens": 100, "cached_image_tokens": 400},
        "output_tokens": 1000,
        "output_tokens_details": {"image_tokens": 1000, "text_tokens": 0},
        "total_tokens": 2000,
    }
    answer = {**RESPONSE, "tool_usage": {"image_gen": block, "web_search": {"num_requests": 0}}, "output": [DRAWN]}
    facts = read(answer | {"tools": [{"type": "image_generation"}]})
    assert facts.usage["tool_usage"] == answer["tool_usage"] | {"image_model": None}


def test_an_image_that_was_made_with_counts_of_zero_is_not_free():
    nothing = {"image_gen": {"input_tokens": 0, "output_tokens": 0}}
    facts = read({**RESPONSE, "tool_usage": nothing, "output": [DRAWN]})
    assert facts.usage["tool_usage"] == {"image_gen": None, "image_model": None}
    assert read({**RESPONSE, "tool_usage": nothing, "output": [DRAWN | {"status": "failed"}]}).usage == RESPONSE_USAGE


@pytest.mark.parametrize("output", [[], [DRAWN]])
@pytest.mark.parametrize(
    "block", [{"output_tokens": 0, "output_tokens_details": {"image_tokens": 50}}, [{"tokens": 5}], 7]
)
def test_tokens_of_images_that_no_total_counts_are_not_free(block, output):
    facts = read({**RESPONSE, "tool_usage": {"image_gen": block}, "output": output})
    assert facts.usage["tool_usage"] == {"image_gen": None, "image_model": None}


# --- billed calls


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
@pytest.mark.parametrize(
    ("kind", "dimension"), [("web_search", "web_search_calls"), ("file_search", "file_search_calls")]
)
def test_a_search_that_failed_is_no_billed_call(kind, dimension, status):
    item = {"type": f"{kind}_call", "id": "x_1", "status": status}
    assert read({**RESPONSE, "output": [item]}).tools is None
    assert read({**RESPONSE, "output": [item, item | {"status": "completed"}]}).tools == {dimension: 1}
    whole = read({**RESPONSE, "output": [item], "tool_usage": {kind: {"num_requests": 3}}})
    assert whole.tools == {dimension: 3}


def test_tools_that_nobody_knows_are_counted_under_their_name():
    tool_usage = {"web_search": {"num_requests": 0}, "computer": {"num_requests": 2}, "video_gen 2": {"tokens": 9}}
    idle = {"idle": {"tokens": 0, "details": {"tokens": 0}, "list": [0], "none": None}, "zero": 0, "off": False}
    assert read({**RESPONSE, "tool_usage": tool_usage | idle}).tools == {
        "computer_calls": 2,
        "video_gen_calls": 1,
    }


@pytest.mark.parametrize("block", [{"usage": {"tokens": 200}}, [{"tokens": 200}], {"by_size": [{"n": 0}, {"n": 1}]}, 4])
def test_what_a_tool_that_nobody_knows_used_is_found_wherever_it_stands(block):
    assert read({**RESPONSE, "tool_usage": {"video_gen": block}}).tools == {"video_gen_calls": 1}


def test_the_items_of_a_whole_output_count_when_its_stream_was_resumed():
    searches = [{"type": "web_search_call", "id": f"ws_{n}", "status": "completed"} for n in range(3)]
    answer = response_sse({**RESPONSE, "output": searches}, items=searches[2:])
    assert read(answer, kind="text/event-stream").tools == {"web_search_calls": 3}


# --- several observations of one usage


def chunk(usage: object) -> bytes:
    return b"data: " + json.dumps({"id": "c", "model": "gpt-4o-mini", "choices": [], "usage": usage}).encode() + b"\n\n"


@pytest.mark.parametrize("poorer", [{"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": 100}, {"x": 1}, {}])
def test_a_poorer_usage_does_not_replace_a_richer_one(poorer):
    full = {"prompt_tokens": 100, "completion_tokens": 50}
    facts = stream(chunk(full), chunk(poorer), b"data: [DONE]\n\n", endpoint="/v1/chat/completions")
    assert (facts.usage, facts.complete) == (full, True)


SAID = b'data: {"id": "c", "model": "gpt-4o-mini", "choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n'
PROMPT, WHOLE = {"prompt_tokens": 100, "completion_tokens": 0}, {"prompt_tokens": 100, "completion_tokens": 50}
ENDED = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("events", "complete", "usage"),
    [
        ([chunk(PROMPT), SAID], False, None),
        ([chunk(PROMPT), SAID, ENDED], True, None),
        ([chunk(WHOLE), SAID], False, None),
        ([chunk({"prompt_tokens": 0, "completion_tokens": 0}), SAID, ENDED], True, None),
        ([SAID, chunk(WHOLE).replace(b"[]", b'[{"finish_reason": "stop"}]'), SAID], False, None),
        ([chunk(WHOLE), SAID, ENDED], True, WHOLE),
        ([chunk(PROMPT), SAID, chunk(WHOLE)], False, WHOLE),
        ([SAID, chunk(PROMPT), ENDED], True, PROMPT),
    ],
)
def test_usage_after_which_the_answer_went_on_counts_only_if_it_can_be_that_of_the_whole(events, complete, usage):
    meter = Meter("/v1/chat/completions", "POST", RequestFacts(), 200, "text/event-stream", "")
    for one in events:
        meter.feed(one)
    meter.finish()
    assert meter.result(complete).usage == usage


def test_a_later_usage_replaces_an_earlier_one_and_keeps_the_details_that_it_does_not_repeat():
    first = {"input_tokens": 100, "output_tokens": 50, "input_tokens_details": {"cached_tokens": 80}}
    same, more = {"input_tokens": 0, "prompt_tokens": 100, "completion_tokens": 50}, {"total_tokens": 151}
    assert stream(chunk(first), chunk(same), endpoint="/v1/chat/completions").usage == first | same
    assert stream(chunk(first), chunk(more), endpoint="/v1/chat/completions").usage == more


def test_seconds_of_a_live_session_are_never_added_up():
    usages = [{"seconds": 30, "active_seconds": 30, "paused_seconds": 0}, {"seconds": 90, "active_seconds": 60}]
    updates = [event("session.usage.updated", event_id="e", usage=usage) for usage in usages]
    end = event("session.closed", event_id="e", reason="expired", usage={"seconds": 95, "active_seconds": 65})
    assert stream(*updates, endpoint="/v1/live/sessions").usage == usages[1]
    facts = stream(*updates, end, endpoint="/v1/live/sessions")
    assert (facts.usage, facts.complete) == ({"seconds": 95, "active_seconds": 65}, True)


def test_numbers_written_as_strings_are_added_up_too():
    one = event("image_generation.completed", usage={"input_tokens": "5", "output_tokens": 1.5})
    facts = stream(one, one, endpoint=IMAGES, facts=RequestFacts(details={"images": 2}))
    assert facts.usage == {"input_tokens": "10", "output_tokens": "3.0"}


# --- nothing that decides a price is left out silently


@pytest.mark.parametrize(
    "extra",
    [
        {"input_tokens_details": {"a": {"b": {"c": {"d": {"e": {"new_tokens": 1}}}}}}},
        {"k" * 60 + "_tokens": 1},
        {"output_tokens_details": "x" * 65},
        {"more": {"n" * 65 + "_details": {"a": 1}}},
        {"list": [[[[[{"new_tokens": 5}]]]]]},
        {**{f"junk{n}": "x" * 50 for n in range(1000)}, "junk": {"new_tokens": 5}},
    ],
)
def test_a_count_that_had_to_be_dropped_is_named(extra):
    usage = read({"object": "chat.completion", "usage": {"prompt_tokens": 5, **extra}}, "/v1/chat/completions").usage
    assert (usage["prompt_tokens"], usage["dropped_details"]) == (5, 1)


def test_unknown_counts_and_details_are_kept():
    usage = {"prompt_tokens": 5, "thought_tokens": 7, "new_details": {"blue_tokens": 1}, "prompt_tokens_details": None}
    assert read({"object": "chat.completion", "usage": usage}, "/v1/chat/completions").usage == usage
