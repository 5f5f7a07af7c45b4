"""Every family that answers in text, through the running proxy: what OpenAI says → what the row costs, by hand."""

from __future__ import annotations

import json

import pytest
from fake_replies import reply_json
from fake_upstream import FakeUpstream
from families import Case, chat, fay, response, responses_sse, settled, sse
from pricing import usd
from stack import Stack

__all__ = ["fay"]
pytestmark = pytest.mark.usefixtures("fay")
CHAT, RESPONSES = "/chat/completions", "/responses"
ASKS = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
INPUT = {"model": "gpt-5.4", "input": "hi"}
LONG = {"prompt_tokens": 272_001, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 272_000}}
RESPONSE_USAGE = {"input_tokens": 328, "input_tokens_details": {"cached_tokens": 100}, "output_tokens": 52,
                  "output_tokens_details": {"reasoning_tokens": 40}, "total_tokens": 380}  # fmt: skip
RESPONSE_COST = usd((228, "2.5"), (100, "0.25"), (52, 15))
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
OPENED = SEARCH | {"action": {"type": "open_page", "url": "https://example.com"}}
FILES = {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["x"]}
PYTHON = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_3", "code": "1"}
IMAGE_TOOL = {"image_gen": {"input_tokens": 50, "input_tokens_details": {"text_tokens": 40, "image_tokens": 10},
                            "output_tokens": 1056}, "web_search": {"num_requests": 0}}  # fmt: skip
EMBEDDED = {
    "object": "list",
    "data": [],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


def chunk(**fields: object) -> bytes:
    """An event of a streamed chat completion."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2024-07-18"}
    return b"data: " + json.dumps(base | {"service_tier": "default", "choices": []} | fields).encode() + b"\n\n"


CASES = {
    "chat: cached tokens are taken out of the input once, reasoning and predictions are in the output": Case(
        CHAT, ASKS, chat("gpt-4o-2024-08-06", {
            "prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 64, "accepted_prediction_tokens": 9,
                                          "rejected_prediction_tokens": 30, "audio_tokens": 0}}),
        usd((86, "2.5"), (1920, "1.25"), (300, 10)), model="gpt-4o-2024-08-06",
        row={"tokens_in": 2006, "tokens_cached": 1920, "tokens_out": 300, "tokens_reasoning": 64}),
    "chat: what is written to the cache has a price of its own": Case(
        CHAT, ASKS, chat("gpt-5.6-luna", {
            "prompt_tokens": 5000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 3000}}),
        usd((1000, "0.2"), (1000, "0.02"), (3000, "0.25"), (100, "1.2")), row={"tokens_cache_write": 3000}),
    "chat: audio in and out": Case(
        CHAT, ASKS | {"model": "gpt-4o-audio-preview"}, chat("gpt-4o-audio-preview-2025-06-03", {
            "prompt_tokens": 100, "completion_tokens": 90, "prompt_tokens_details": {"audio_tokens": 80},
            "completion_tokens_details": {"audio_tokens": 70}}),
        usd((20, "2.5"), (80, 40), (20, 10), (70, 80)), row={"tokens_audio_in": 80, "tokens_audio_out": 70}),
    "chat: a priority request that was served as default costs standard": Case(
        CHAT, ASKS | {"service_tier": "priority"}, chat("gpt-4o", {"prompt_tokens": 10, "completion_tokens": 10}),
        usd((10, "2.5"), (10, 10)), row={"service_tier": "default"}),
    "chat: served as priority": Case(
        CHAT, ASKS, chat("gpt-4o", {"prompt_tokens": 10, "completion_tokens": 10}, "priority"),
        usd((10, "4.25"), (10, 17)), row={"service_tier": "priority"}),
    "chat: fast is priority": Case(
        CHAT, ASKS, chat("gpt-4o", {"prompt_tokens": 10, "completion_tokens": 10}, "fast"),
        usd((10, "4.25"), (10, 17))),
    "chat: flex, with its own rounded cached price": Case(
        CHAT, ASKS | {"service_tier": "flex"}, chat("gpt-5.4", {
            "prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 999}}, "flex"),
        usd((1, "1.25"), (999, "0.13"), (10, "7.5"))),
    "chat: the tier counts for reasoning, too": Case(
        CHAT, ASKS, chat("gpt-5-mini", {"prompt_tokens": 100, "completion_tokens": 900,
                                        "completion_tokens_details": {"reasoning_tokens": 850}}, "flex"),
        usd((100, "0.125"), (900, 1)), row={"tokens_out": 900, "tokens_reasoning": 850}),
    "chat: a tier that has no price is standard and says so": Case(
        CHAT, ASKS, chat("gpt-4o-mini", {"prompt_tokens": 10, "completion_tokens": 10}, "flex"),
        usd((10, "0.15"), (10, "0.6")), "tier_fallback"),
    "chat: 272,000 input tokens are not long": Case(
        CHAT, ASKS, chat("gpt-5.4", LONG | {"prompt_tokens": 272_000}), usd((272_000, "0.25"), (10, 15))),
    "chat: one more is, also with all but one from the cache": Case(
        CHAT, ASKS, chat("gpt-5.4", LONG), usd((1, 5), (272_000, "0.5"), (10, "22.5"))),
    "chat: a fine-tune has its own price": Case(
        CHAT, ASKS | {"model": "ft:gpt-4o-mini-2024-07-18:acme::abc"},
        chat("ft:gpt-4o-mini-2024-07-18:acme::abc", {"prompt_tokens": 1000, "completion_tokens": 10}),
        usd((1000, "0.3"), (10, "1.2"))),
    "chat: a fine-tune nobody knows is not its base": Case(
        CHAT, ASKS | {"model": "ft:gpt-4o-9999:acme::abc"},
        chat("ft:gpt-5-2025-08-07:acme::abc", {"prompt_tokens": 1000, "completion_tokens": 10}),
        None, "unpriced_model"),
    "chat: a model nobody knows, asked for by a name that is known": Case(
        CHAT, ASKS | {"model": "gpt-4o"}, chat("gpt-4o-2031-01-01", {"prompt_tokens": 10, "completion_tokens": 0}),
        usd((10, "2.5"))),
    "chat: dates are part of the name": Case(
        CHAT, ASKS | {"model": "gpt-4o-2024-05-13"},
        chat("gpt-4o-2024-05-13", {"prompt_tokens": 10, "completion_tokens": 10}), usd((10, 5), (10, 15))),
    "chat: numbers as strings, details null": Case(
        CHAT, ASKS, chat("gpt-4o-mini", {"prompt_tokens": "19", "completion_tokens": "10", "total_tokens": "29",
                                         "prompt_tokens_details": None, "completion_tokens_details": None}),
        usd((19, "0.15"), (10, "0.6"))),
    "chat: more cached than there was input is cut, never negative": Case(
        CHAT, ASKS, chat("gpt-4o-mini", {"prompt_tokens": 10, "completion_tokens": 0,
                                         "prompt_tokens_details": {"cached_tokens": 384, "cache_write_tokens": 9}}),
        usd((10, "0.075"))),
    "chat: a search model pays its search": Case(
        CHAT, ASKS | {"model": "gpt-4o-search-preview"},
        chat("gpt-4o-search-preview-2025-03-11", {"prompt_tokens": 9, "completion_tokens": 10}),
        usd((9, "2.5"), (10, 10), (1, 25, 1000))),
    "chat: a search model of today pays another fee": Case(
        CHAT, ASKS | {"model": "gpt-5-search-api"},
        chat("gpt-5-search-api-2025-10-14", {"prompt_tokens": 9, "completion_tokens": 10}),
        usd((9, "1.25"), (10, 10), (1, 10, 1000))),
    "chat: negative counts are no usage": Case(
        CHAT, ASKS, chat("gpt-4o", {"prompt_tokens": -5, "completion_tokens": 10}), None, "no_usage"),
    "chat: half a token is no usage": Case(
        CHAT, ASKS, chat("gpt-4o", {"prompt_tokens": 10.5, "completion_tokens": 10}), None, "no_usage",
        row={"tokens_in": None}),
    "chat: absurd counts are no usage": Case(
        CHAT, ASKS, chat("gpt-4o", {"prompt_tokens": 10**18, "completion_tokens": 10}), None, "no_usage"),
    "chat: usage of the wrong type is no usage": Case(CHAT, ASKS, chat("gpt-4o", [1, 2]), None, "no_usage"),
    "chat: no usage at all": Case(CHAT, ASKS, chat("gpt-4o", None), None, "no_usage"),
    "chat streamed: usage comes in the last chunk": Case(
        CHAT, ASKS | {"stream": True}, sse(
            chunk(choices=[{"index": 0, "delta": {"content": "hi"}}], usage=None, service_tier="auto"),
            chunk(usage={"prompt_tokens": 19, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 9}}),
            b"data: [DONE]\n\n"),
        usd((10, "0.15"), (9, "0.075"), (10, "0.6")), model="gpt-4o-mini-2024-07-18"),
    "completions": Case(
        "/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Say this is a test"}, reply_json({
            "id": "cmpl-uqkvlQyYK7bGYrRHQ0eXlWi7", "object": "text_completion", "model": "gpt-3.5-turbo-instruct",
            "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}),
        usd((5, "1.5"), (7, 2))),
    "responses": Case(
        RESPONSES, INPUT, reply_json(response("gpt-5.4-2026-03-05", RESPONSE_USAGE)), RESPONSE_COST,
        model="gpt-5.4-2026-03-05", row={"tokens_reasoning": 40, "upstream_object_id":
                                         "resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41"}),
    "responses: without details, as a real answer had it": Case(
        RESPONSES, INPUT,
        reply_json(response("gpt-5.4", {"input_tokens": 36, "output_tokens": 87, "total_tokens": 123})),
        usd((36, "2.5"), (87, 15))),
    **{f"responses streamed, {end}": Case(
        RESPONSES, INPUT | {"stream": True}, responses_sse(end, response("gpt-5.4", RESPONSE_USAGE, status=end)),
        RESPONSE_COST) for end in ("completed", "incomplete", "failed")},
    "responses streamed, failed without usage": Case(
        RESPONSES, INPUT | {"stream": True}, responses_sse("failed", response("gpt-5.4", None, status="failed")),
        None, "no_usage"),
    "responses: tool_usage counts the searches, not the items": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-5.4", RESPONSE_USAGE, tools=[{"type": "web_search"}], output=[SEARCH] * 5,
            tool_usage={"web_search": {"num_requests": 2}})),
        RESPONSE_COST + usd((2, 10, 1000)), row={"tools": {"web_search_calls": 2}}),
    "responses: without it the items do, less pages that were only opened": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-5.4", RESPONSE_USAGE, tools=[{"type": "web_search"}, {"type": "file_search"},
                                              {"type": "code_interpreter", "container": {"type": "auto"}}],
            output=[SEARCH, OPENED, FILES, FILES, PYTHON, PYTHON])),
        RESPONSE_COST + usd((1, 10, 1000), (2, "2.5", 1000), (1, "0.03", 1))),
    "responses streamed: the finished items do": Case(
        RESPONSES, INPUT | {"stream": True}, responses_sse(
            "completed", response("gpt-5.4", RESPONSE_USAGE, tools=[{"type": "web_search"}]), SEARCH, OPENED, SEARCH),
        RESPONSE_COST + usd((2, 10, 1000))),
    "responses: the preview tool has a price of its own": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-4o", {"input_tokens": 10, "output_tokens": 1}, tools=[{"type": "web_search_preview"}],
            output=[SEARCH])),
        usd((10, "2.5"), (1, 10), (1, 25, 1000))),
    "responses: the image tool is a second meter at the image model's price": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-5.4", RESPONSE_USAGE, tool_usage=IMAGE_TOOL,
            tools=[{"type": "image_generation", "model": "gpt-image-1"}])),
        RESPONSE_COST + usd((40, 5), (10, 10), (1056, 40))),
    "responses: an image nobody counted is not free": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-5.4", RESPONSE_USAGE, tools=[{"type": "image_generation", "model": "gpt-image-1"}],
            output=[{"type": "image_generation_call", "id": "ig_1", "status": "completed"}])), None, "no_usage"),
    "responses: a container that was there before is paid for": Case(
        RESPONSES, INPUT, reply_json(response(
            "gpt-5.4", RESPONSE_USAGE, tools=[{"type": "code_interpreter", "container": "cntr_3"}], output=[PYTHON])),
        RESPONSE_COST),
    "responses/input_tokens is free": Case(
        "/responses/input_tokens", INPUT, reply_json({"object": "response.input_tokens", "input_tokens": 11}),
        0, "free"),
    "embeddings": Case(
        "/embeddings", {"model": "text-embedding-3-small", "input": "hi"}, reply_json(EMBEDDED), usd((8, "0.02"))),
    "moderations are free": Case(
        "/moderations", {"input": "hi"},
        reply_json({"id": "modr-1", "model": "omni-moderation-latest", "results": []}), 0, "free"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_call_costs_what_it_costs_by_hand(stack: Stack, fake: FakeUpstream, case: Case) -> None:
    settled(stack, fake, case)


def test_answers_without_an_id_are_calls_of_their_own(stack: Stack, fake: FakeUpstream) -> None:
    answer = {"id": None, "object": "chat.completion", "model": "gpt-4o", "choices": []}
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    case = Case(CHAT, ASKS, reply_json(answer | {"usage": usage}), usd((10, "2.5"), (1, 10)))
    assert settled(stack, fake, case)["id"] != settled(stack, fake, case)["id"]


def test_one_megabyte_of_nested_garbage_is_settled_as_no_usage(stack: Stack, fake: FakeUpstream) -> None:
    nested: object = 1
    for _ in range(300):
        nested = {"prompt_tokens": nested}
    usage = {"prompt_tokens": nested, "noise": ["x" * 60] * 16_000}
    settled(stack, fake, Case(CHAT, ASKS, chat("gpt-4o", usage), None, "no_usage"))
