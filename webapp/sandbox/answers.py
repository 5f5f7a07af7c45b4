"""The answers of the sandbox: objects in OpenAI's shapes, whose texts say that they are simulated."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from webapp.sandbox.media import PNG
from webapp.sandbox.vectors import as_base64, unit_vector

TEXT = (
    "This is the SpendAI sandbox, not OpenAI: no OpenAI key is set, so this answer is simulated and no money is spent. "
    "An admin can store an OpenAI key under Settings."
)
# Model in the request → dated model in the answer; other models are answered under their own name.
SERVED = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "gpt-5.4": "gpt-5.4-2026-03-05",
    "o3": "o3-2025-04-16",
    "o4-mini": "o4-mini-2025-04-16",
    "text-embedding-3-small": "text-embedding-3-small",
    "text-embedding-3-large": "text-embedding-3-large",
    "omni-moderation-latest": "omni-moderation-2024-09-26",
}
DIMENSIONS = {"text-embedding-3-large": 3072}
MAX_DIMENSIONS = 4096
SECONDS = 1  # of audio in every transcript, whatever was uploaded

_CATEGORIES = ["harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"]
_CATEGORIES += ["self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors"]
_CATEGORIES += ["violence", "violence/graphic"]


def tokens(value: Any) -> int:
    """An estimate: a quarter of the characters of a text, or of a value as JSON, rounded up; [1, 2] is two tokens."""
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return len(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (len(text) + 3) // 4


def served(fields: dict[str, Any], default: str = "") -> str:
    """The dated name of the model that answers."""
    model = fields.get("model") or default
    return SERVED.get(model, model)


def new_id(prefix: str) -> str:
    """An id that looks like OpenAI's."""
    return prefix + secrets.token_hex(16)


def chat(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /chat/completions."""
    messages = fields.get("messages")
    sent = sum(3 + tokens(_content(message)) for message in messages) if isinstance(messages, list) else 0
    message = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": served(fields),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _completion_usage(sent + 3, tokens(TEXT)),
        "service_tier": "default",
        "system_fingerprint": "fp_spendai_sandbox",
    }


def completion(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /completions."""
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": served(fields),
        "choices": [{"text": TEXT, "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": _completion_usage(tokens(fields.get("prompt") or ""), tokens(TEXT)),
    }


def response(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses."""
    sent, said = tokens(fields.get("instructions") or "") + tokens(fields.get("input") or ""), tokens(TEXT)
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    message = {"id": new_id("msg_"), "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": fields.get("instructions"),
        "metadata": fields.get("metadata") or {},
        "model": served(fields),
        "output": [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": fields.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": sent,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sent + said,
        },
        "user": None,
    }


def compaction(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses/compact."""
    whole = response(fields)
    kept = {"id": new_id("cmp_"), "type": "compaction", "encrypted_content": "c3BlbmRhaSBzYW5kYm94"}
    told = {key: whole[key] for key in ("id", "created_at", "usage")}
    return {**told, "object": "response.compaction", "output": [kept]}


def input_tokens(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses/input_tokens, which is free."""
    sent = tokens(fields.get("instructions") or "") + tokens(fields.get("input") or "")
    return {"object": "response.input_tokens", "input_tokens": sent}


def embeddings(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /embeddings: the same text always gives the same unit vector, of the model's length."""
    model, asked = served(fields), fields.get("input")
    single = isinstance(asked, str) or (isinstance(asked, list) and asked and isinstance(asked[0], int))
    texts = [asked] if single else asked if isinstance(asked, list) else [str(asked)]
    wanted = fields.get("dimensions")
    size = wanted if isinstance(wanted, int) and 0 < wanted <= MAX_DIMENSIONS else DIMENSIONS.get(model, 1536)
    encoded = fields.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": as_base64(vector) if encoded else vector}
        for index, vector in enumerate(unit_vector(text, size) for text in texts)
    ]
    sent = sum(tokens(text) for text in texts)
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": sent, "total_tokens": sent}}


def moderation(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /moderations: nothing is ever flagged."""
    asked = fields.get("input")
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.00001),
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
    results = [result] * (len(asked) if isinstance(asked, list) else 1)
    return {"id": new_id("modr-"), "model": served(fields, "omni-moderation-latest"), "results": results}


def images(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /images/*: tiny pictures; with usage for gpt-image models, without for dall-e, as OpenAI does."""
    asked = fields.get("n") or fields.get("images")
    number = asked if isinstance(asked, int) and 0 < asked <= 10 else 1
    whole: dict[str, Any] = {"created": int(time.time()), "data": [{"b64_json": PNG} for _ in range(number)]}
    if (fields.get("model") or "dall-e-2").startswith("dall-e"):
        return whole
    sent = tokens(fields.get("prompt") or "")
    return whole | {
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
        "usage": {
            "input_tokens": sent,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": sent},
            "output_tokens": 272 * number,
            "total_tokens": sent + 272 * number,
        },
    }


def transcript(fields: dict[str, Any], *, verbose: bool) -> dict[str, Any]:
    """The answer of /audio/transcriptions: tokens for gpt-4o models, seconds for all others."""
    whole: dict[str, Any] = {"text": TEXT}
    if (fields.get("model") or "").startswith("gpt-4o"):
        details = {"text_tokens": 0, "audio_tokens": 10 * SECONDS}
        counts = {"input_tokens": 10 * SECONDS, "input_token_details": details, "output_tokens": tokens(TEXT)}
        whole["usage"] = {"type": "tokens", **counts, "total_tokens": 10 * SECONDS + tokens(TEXT)}
    else:
        whole["usage"] = {"type": "duration", "seconds": SECONDS}
    return whole | (_verbose("transcribe") if verbose else {})


def speech_usage(fields: dict[str, Any]) -> dict[str, int]:
    """Tokens of speech, which an answer has only when it is streamed as events."""
    sent = tokens(fields.get("input") or "")
    return {"input_tokens": sent, "output_tokens": 20, "total_tokens": sent + 20}


def translation(*, verbose: bool) -> dict[str, Any]:
    """The answer of /audio/translations, which has no usage."""
    return {"text": TEXT} | (_verbose("translate") if verbose else {})


def transcript_text(kind: str) -> str:
    """A transcript as text, srt or vtt."""
    if kind == "srt":
        return f"1\n00:00:00,000 --> 00:00:01,000\n{TEXT}\n\n"
    return f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{TEXT}\n\n" if kind == "vtt" else TEXT + "\n"


def model(name: str) -> dict[str, Any]:
    """One entry of /models."""
    return {"id": name, "object": "model", "created": 1715367049, "owned_by": "spendai-sandbox"}


def _content(message: Any) -> Any:
    return message.get("content") or "" if isinstance(message, dict) else message


def _completion_usage(sent: int, said: int) -> dict[str, Any]:
    details = {"reasoning_tokens": 0, "audio_tokens": 0}
    details |= {"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    return {
        "prompt_tokens": sent,
        "completion_tokens": said,
        "total_tokens": sent + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": details,
    }


def _verbose(task: str) -> dict[str, Any]:
    return {"task": task, "language": "english", "duration": float(SECONDS), "segments": []}
