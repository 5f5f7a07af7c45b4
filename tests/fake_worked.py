"""Worked examples of what OpenAI bills in November 2026: what is asked, the body OpenAI answers, and the cost by hand.

Each is a scenario of the fake upstream: ``fake.queue(f"/v1{example.path}", example.says)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fake_openai import data
from fake_replies import Reply, reply_json, reply_sse

RESPONSES, CHAT = "/responses", "/chat/completions"
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
SVG = {"model": "gpt-6.1-sol", "input_tokens": 1000, "output_tokens": 100, "reasoning_tokens": 40, "total_tokens": 1100}


@dataclass
class Worked:
    """`cost` None: not known, for the reason that `status` names. `tools`: the billed calls of the row."""

    asks: dict[str, Any]
    says: Reply
    cost: str | None
    status: str = "priced"
    path: str = RESPONSES
    tools: dict[str, int] | None = None
    row: dict[str, Any] = field(default_factory=dict)


def usage(tokens_in: int, tokens_out: int, cached: int = 0, **writes: int) -> dict[str, Any]:
    """A usage object of the Responses API; `writes`: tokens written to the cache, by how long they stay."""
    details: dict[str, Any] = {"cached_tokens": cached, "cache_write_tokens": sum(writes.values())}
    if writes:
        details["cache_write_tokens_details"] = {"ttl_30m_tokens": 0, "ttl_12h_tokens": 0} | writes
    return {
        "input_tokens": tokens_in, "input_tokens_details": details, "output_tokens": tokens_out,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": tokens_in + tokens_out,
    }  # fmt: skip


def response(model: str, said: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A whole response as its JSON answer has it."""
    tool_usage = {"image_gen": IMAGE_GEN_UNUSED, "web_search": {"num_requests": 0}}
    return {
        "id": "resp_68e0c1f2a7d48190b5a1f1570fe91ac604becb25c45c1d41", "object": "response", "created_at": 1795860000,
        "status": "completed", "background": False, "error": None, "incomplete_details": None, "metadata": {},
        "model": model, "output": [], "service_tier": "default", "tools": [], "tool_usage": tool_usage, "usage": said,
    } | more  # fmt: skip


def answers(model: str, said: dict[str, Any], *, asks: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The request and the answer of an example whose request does not matter beyond its model."""
    return {"asks": {"model": model, "input": "hi"} | (asks or {}), "says": reply_json(response(model, said, **more))}


def chat(model: str, said: dict[str, Any], tier: str = "default") -> Reply:
    """A chat completion as its JSON answer has it."""
    message = {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    return reply_json({
        "id": "chatcmpl-C9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1795860000,
        "model": model, "choices": choices, "usage": said, "service_tier": tier, "system_fingerprint": "fp_1",
    })  # fmt: skip


def chunks(*usages: dict[str, Any] | None) -> Reply:
    """A streamed chat completion with these usages in its last chunks."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795860000, "model": "gpt-4o-mini"}
    choice = {"index": 0, "delta": {"content": "hi"}, "logprobs": None, "finish_reason": "stop"}
    events = [data({**base, "choices": [choice], "usage": None})]
    events += [data({**base, "choices": [], "usage": said}) for said in usages]
    return reply_sse([*events, b"data: [DONE]\n\n"])


IMAGE_GEN_UNUSED = {
    "input_tokens": 0, "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0, "output_tokens_details": {"image_tokens": 0, "text_tokens": 0}, "total_tokens": 0,
}  # fmt: skip
IMAGE_GEN = {
    "input_tokens": 1000, "input_tokens_details": {"image_tokens": 800, "text_tokens": 200},
    "cached_tokens": 500, "cached_tokens_details": {"cached_image_tokens": 400, "cached_text_tokens": 100},
    "output_tokens": 1000, "output_tokens_details": {"image_tokens": 1000, "text_tokens": 0}, "total_tokens": 2000,
}  # fmt: skip
BIG_BOX = [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}]
PYTHON = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "cntr_4g", "code": "1"}
DRAWN = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "QUJD"}
HI = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}

WORKED = {
    "a write for 12 hours costs 2.5 times input": Worked(
        **answers("gpt-6.1-terra", usage(100_000, 1000, 20_000, ttl_12h_tokens=50_000)), cost="0.161"),
    "a write for 12 hours in a long context": Worked(
        **answers("gpt-6.1-sol", usage(300_000, 2000, 100_000, ttl_12h_tokens=150_000)), cost="1.75"),
    "a container of 4 GB, its size known from the answer": Worked(
        **answers("gpt-6.1-sol", usage(1000, 100), tools=BIG_BOX, output=[PYTHON]),
        cost="0.123", tools={"container_sessions:4g": 1}),
    "a container of 4 GB, its size known from the request": Worked(
        **answers("gpt-6.1-sol", usage(1000, 100), asks={"tools": BIG_BOX},
                  output=[PYTHON | {"container_id": "cntr_2"}],
                  tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
        cost="0.123", tools={"container_sessions:4g": 1}),
    "a container made by itself": Worked(
        {"name": "box", "memory_limit": "16g"}, reply_json({
            "id": "cntr_682dfebaacac8198bbfe9c2474fb6f4a085685cbe3cb5863", "object": "container", "name": "box",
            "created_at": 1795860000, "status": "running", "memory_limit": "16g",
            "expires_after": {"anchor": "last_active_at", "minutes": 20}, "last_active_at": 1795860000}),
        "0.48", path="/containers", tools={"container_sessions:16g": 1}),
    "the image tool with cached tokens": Worked(
        **answers("gpt-6.1-sol", usage(1000, 100), output=[DRAWN],
                  tool_usage={"image_gen": IMAGE_GEN, "web_search": {"num_requests": 0}},
                  tools=[{"type": "image_generation", "model": "gpt-image-2"}]), cost="0.037625"),
    "the image tool without a model in the answer": Worked(
        **answers("gpt-6.1-sol", usage(1000, 100), output=[DRAWN],
                  tool_usage={"image_gen": IMAGE_GEN, "web_search": {"num_requests": 0}},
                  tools=[{"type": "image_generation"}]), cost=None, status="unpriced_model"),
    "an SVG image is a second meter at the model that wrote it": Worked(
        {"model": "gpt-image-2", "prompt": "a cat", "output_format": "svg"}, reply_json({
            "created": 1795860000, "data": [{"b64_json": "QUJD"}], "output_format": "svg", "svg_usage": SVG,
            "usage": {"input_tokens": 200, "input_tokens_details": {"image_tokens": 0, "text_tokens": 200},
                      "output_tokens": 1000, "total_tokens": 1200}}),
        "0.034", path="/images/generations"),  # 200 × $5 and 1,000 × $30 per million, then 1,000 × $2 and 100 × $10
    "an SVG image inside a response": Worked(
        **answers("gpt-6.1-sol", usage(1000, 100), output=[DRAWN | {"output_format": "svg", "svg_usage": SVG}]),
        cost="0.006"),
    "a decision: input only": Worked(
        {"model": "gpt-6-luna", "input": "hi", "questions": [{"type": "predicate", "instructions": "Is it late?"}]},
        reply_json({"answers": [{"name": None, "type": "predicate", "probability": 0.5}], "model": "gpt-6-luna",
                    "usage": usage(2000, 300)}), "0.0002", path="/decisions"),
    "a web search of a small model bills 8,000 input tokens": Worked(
        **answers("gpt-4.1-mini", usage(328, 356), output=[SEARCH], tools=[{"type": "web_search"}],
                  tool_usage={"image_gen": IMAGE_GEN_UNUSED, "web_search": {"num_requests": 1}}),
        cost="0.0139008", tools={"web_search_calls": 1}),
    "a web search that failed is no billed call": Worked(
        **answers("gpt-4o-mini", usage(100, 50), output=[SEARCH | {"status": "failed"}],
                  tools=[{"type": "web_search"}], tool_usage=None), cost="0.000045"),
    "a last chunk of zeros does not make a call free": Worked(
        HI | {"stream": True}, chunks({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
                                      {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        "0.000045", path=CHAT, row={"tokens_in": 100, "tokens_out": 50}),
    "two families of names, of which one says zero": Worked(
        HI, chat("gpt-4o-mini", {"input_tokens": 0, "output_tokens": 0, "prompt_tokens": 100, "completion_tokens": 50}),
        "0.000045", path=CHAT, row={"tokens_in": 100, "tokens_out": 50}),
    "a short name that another model has": Worked(
        {"model": "text-embedding-ada-002", "input": "hi"},
        reply_json({"object": "list", "data": [], "model": "ada",
                    "usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}}), "0.1", path="/embeddings"),
    **{f"asked for gpt-4o-mini, served {served}": Worked(
        HI, chat(served, {"prompt_tokens": 100, "completion_tokens": 50}), None, "unpriced_model", CHAT)
       for served in ("acme-internal-70b", "claude-opus-4-5")},
    **{f"the unknown tier {tier}": Worked(
        HI, chat("gpt-4o-mini", {"prompt_tokens": 100, "completion_tokens": 50}, tier),
        None, "unpriced_dimension", CHAT)
       for tier in ("eco", "balanced", "fast_tier_temp_pilot")},
    "a kind of token that nobody knows": Worked(
        HI, chat("gpt-4o-mini", {"prompt_tokens": 100, "completion_tokens": 50, "thought_tokens": 7}),
        None, "unpriced_dimension", CHAT),
    "a count that was too deep to keep": Worked(
        HI, chat("gpt-4o-mini", {"prompt_tokens": 100, "completion_tokens": 50,
                                 "x": {"x": {"x": {"x": {"x": {"x": {"new_tokens": 7}}}}}}}),
        None, "unpriced_dimension", CHAT),
    "an image without a model": Worked(
        {"prompt": "a cat"}, reply_json({"created": 1795860000, "data": [{"b64_json": "QUJD"}]}),
        None, "unpriced_model", "/images/generations"),
}  # fmt: skip


def windowed(word: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Decimal]:
    """A response in the background: what is asked, what its POST and a later GET answer, and what it costs."""
    asks = {
        "model": "gpt-6.1-sol",
        "input": "hi",
        "background": True,
        "background_options": {"completion_window": word},
    }
    name = f"resp_window_{word}"
    queued = response("gpt-6.1-sol", None, id=name, status="queued", background=True, service_tier="auto")
    ended = response("gpt-6.1-sol", usage(10_000, 1000, 4096), id=name, background=True)
    share = {"2h": Decimal("0.7"), "8h": Decimal("0.6"), "soonest": Decimal(1)}[word]
    return asks, queued, ended, Decimal("0.0222176") * share
