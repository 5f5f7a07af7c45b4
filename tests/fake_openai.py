"""What the fake upstream says when a test does not script it: answers in OpenAI's shapes, usage with its details."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 10,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
RESPONSE_USAGE = {
    "input_tokens": 36,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 87,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 123,
}
EMBEDDING_USAGE = {"prompt_tokens": 8, "total_tokens": 8}
WORDS = ["Hello", "!", " How", " can", " I", " help", "? ", "Grüße 👋"]
SERVED = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-4o": "gpt-4o-2024-08-06", "gpt-5.4": "gpt-5.4-2026-03-05"}


def chat(asked: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer of /chat/completions."""
    message = {"role": "assistant", "content": "".join(WORDS), "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": served(asked),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": CHAT_USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_06737a9306",
    }


def chat_events(asked: dict[str, Any]) -> Iterator[bytes]:
    """The events of a streamed chat completion; the usage chunk only when it was asked for."""
    wants_usage = (asked.get("stream_options") or {}).get("include_usage") is True
    base = {"id": "chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd", "object": "chat.completion.chunk", "created": 1721075653}
    base |= {"model": served(asked), "service_tier": "default", "system_fingerprint": "fp_06737a9306"}
    nothing = {"usage": None} if wants_usage else {}
    for number, word in enumerate(WORDS):
        delta = {"role": "assistant", "content": word} if number == 0 else {"content": word}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield data({**base, "choices": [choice], **nothing})
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    yield data({**base, "choices": [last], **nothing})
    if wants_usage:
        yield data({**base, "choices": [], "usage": CHAT_USAGE})
    yield b"data: [DONE]\n\n"


def response(asked: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer of /responses."""
    message = {"id": "msg_67ccd3acc8d48190", "type": "message", "status": "completed", "role": "assistant"}
    return {
        "id": "resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41",
        "object": "response",
        "created_at": 1741476777,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": served(asked),
        "output": [{**message, "content": [text_part("".join(WORDS))]}],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": asked.get("tools", []),
        "top_p": 1.0,
        "usage": RESPONSE_USAGE,
    }


def text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def response_events(asked: dict[str, Any]) -> Iterator[bytes]:
    """The events of a streamed response."""
    whole = response(asked)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "service_tier": "auto"}
    place = {"item_id": whole["output"][0]["id"], "output_index": 0, "content_index": 0}
    yield event("response.created", 0, response=begun)
    yield event("response.in_progress", 1, response=begun)
    message = {**whole["output"][0], "status": "in_progress", "content": []}
    yield event("response.output_item.added", 2, output_index=0, item=message)
    yield event("response.content_part.added", 3, part=text_part(""), **place)
    for number, word in enumerate(WORDS, 4):
        yield event("response.output_text.delta", number, delta=word, logprobs=[], **place)
    yield event("response.output_text.done", 12, text="".join(WORDS), logprobs=[], **place)
    yield event("response.content_part.done", 13, part=text_part("".join(WORDS)), **place)
    yield event("response.output_item.done", 14, output_index=0, item=whole["output"][0])
    yield event("response.completed", 15, response=whole)


def embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer of /embeddings: three numbers, as text or as the base64 that the SDK asks for."""
    vector: Any = "AACAPwAAAEAAAEBA" if asked.get("encoding_format") == "base64" else [1.0, 2.0, 3.0]
    item = {"object": "embedding", "index": 0, "embedding": vector}
    return {"object": "list", "data": [item], "model": served(asked), "usage": EMBEDDING_USAGE}


def served(asked: dict[str, Any]) -> str:
    """The dated model behind an alias."""
    model = str(asked.get("model"))
    return SERVED.get(model, model)


def error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def data(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def event(kind: str, number: int, **fields: object) -> bytes:
    return f"event: {kind}\n".encode() + data({"type": kind, "sequence_number": number, **fields})
