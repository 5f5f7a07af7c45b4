"""The answers of the sandbox as OpenAI streams them, event by event."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

DONE = b"data: [DONE]\n\n"


def chat(whole: dict[str, Any], fields: dict[str, Any]) -> Iterator[bytes]:
    """Chunks of a chat completion; when the request asks for usage, in one more chunk at the end."""
    base = {key: whole[key] for key in ("id", "created", "model", "service_tier", "system_fingerprint")}
    base["object"] = "chat.completion.chunk"
    message = whole["choices"][0]["message"]
    deltas = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": word} for word in _words(message["content"])]
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"})
    yield from _chunks(base, choices, whole["usage"], fields)


def completion(whole: dict[str, Any], fields: dict[str, Any]) -> Iterator[bytes]:
    """Chunks of a text completion."""
    base = {key: whole[key] for key in ("id", "object", "created", "model")}
    text = whole["choices"][0]["text"]
    choices = [{"text": word, "index": 0, "logprobs": None, "finish_reason": None} for word in _words(text)]
    choices.append({"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"})
    yield from _chunks(base, choices, whole["usage"], fields)


def response(whole: dict[str, Any]) -> Iterator[bytes]:
    """The events of a response, from `response.created` to `response.completed`."""
    message = whole["output"][0]
    part = message["content"][0]
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "service_tier": "auto"}
    item, place = {"output_index": 0}, {"item_id": message["id"], "output_index": 0, "content_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {**item, "item": {**message, "status": "in_progress", "content": []}}),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
        *(("response.output_text.delta", {**place, "delta": word, "logprobs": []}) for word in _words(part["text"])),
        ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {**item, "item": message}),
        ("response.completed", {"response": whole}),
    ]
    for number, (kind, fields) in enumerate(events):
        yield _event(kind, {"sequence_number": number, **fields})


def images(whole: dict[str, Any], kind: str) -> Iterator[bytes]:
    """One event for every image; `kind` is `image_generation` or `image_edit`. The last has the usage of all."""
    *others, last = whole["data"]
    shared = {key: whole[key] for key in ("output_format", "quality", "size")}
    shared |= {"created_at": whole["created"], "background": "opaque"}
    nothing = {key: {} if isinstance(value, dict) else 0 for key, value in whole["usage"].items()}
    for image, usage in [*((image, nothing) for image in others), (last, whole["usage"])]:
        yield _event(f"{kind}.completed", {**image, **shared, "usage": usage})


def transcript(whole: dict[str, Any]) -> Iterator[bytes]:
    """The words of a transcript, then all of it with its usage."""
    for word in _words(whole["text"]):
        yield _event("transcript.text.delta", {"delta": word})
    yield _event("transcript.text.done", whole)


def speech(sound: bytes, usage: dict[str, int]) -> Iterator[bytes]:
    """The sound in one piece, then its usage."""
    yield _event("speech.audio.delta", {"audio": base64.b64encode(sound).decode()})
    yield _event("speech.audio.done", {"usage": usage})


def _chunks(
    base: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, Any], fields: dict[str, Any]
) -> Iterator[bytes]:
    options = fields.get("stream_options")
    wanted = isinstance(options, dict) and options.get("include_usage") is True
    for choice in choices:
        yield _data({**base, "choices": [choice], **({"usage": None} if wanted else {})})
    if wanted:
        yield _data({**base, "choices": [], "usage": usage})
    yield DONE


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    return f"event: {kind}\n".encode() + _data({"type": kind, **fields})


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n\n"
