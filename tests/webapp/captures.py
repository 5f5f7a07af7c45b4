"""Answers as OpenAI sends them, for the metering tests: bytes, not our idea of them."""

from __future__ import annotations

import json

CHAT_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 64,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}

CHAT_JSON = json.dumps(
    {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": 'He said "usage": {"prompt_tokens": 1} — héllo',
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": CHAT_USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_06737a9306",
    },
    indent=2,
).encode()


def chat_chunk(text: str | None, usage: dict | None = None, tier: str = "default", **extra: object) -> bytes:
    """One event of a streamed chat completion that was asked for usage; the usage chunk has no choices."""
    delta = {"content": text} if text is not None else {}
    choices = [] if usage else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]
    chunk = {
        "id": "chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd",
        "object": "chat.completion.chunk",
        "created": 1721075653,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": tier,
        "system_fingerprint": "fp_06737a9306",
        "choices": choices,
        "usage": usage,
        **extra,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
CHAT_TEXT = chat_chunk("") + chat_chunk("Grüße, ") + chat_chunk('{"usage": {"prompt_tokens": 9}, "choices":[]}')
CHAT_USAGE_EVENT = chat_chunk(None, CHAT_USAGE)
CHAT_SSE = CHAT_TEXT + CHAT_USAGE_EVENT + DONE

RESPONSE_USAGE = {
    "input_tokens": 328,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 52,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 380,
}

RESPONSE = {
    "id": "resp_67ca09c5efe0819096d0511c92b8c890096610f474011cc0",
    "object": "response",
    "created_at": 1741294021,
    "status": "completed",
    "background": False,
    "error": None,
    "incomplete_details": None,
    "model": "gpt-5.4-2026-03-05",
    "output": [],
    "service_tier": "default",
    "tools": [],
    "usage": RESPONSE_USAGE,
    "metadata": {},
}


def event(kind: str, **fields: object) -> bytes:
    """One typed event, as the Responses, images and audio endpoints send them."""
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def response_sse(response: dict, end: str = "response.completed", items: list[dict] | None = None) -> bytes:
    """A streamed response: created, some text, `items` done, and the terminal event `end`."""
    begun = {**response, "status": "in_progress", "usage": None, "output": [], "service_tier": "auto"}
    return (
        event("response.created", sequence_number=0, response=begun)
        + event("response.in_progress", sequence_number=1, response=begun)
        + event("response.output_text.delta", sequence_number=2, delta="Hi 👋", item_id="msg_1")
        + b"".join(event("response.output_item.done", output_index=0, item=item) for item in items or [])
        + event(end, sequence_number=9, response=response)
    )
