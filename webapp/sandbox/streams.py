"""Completions, images and sounds of the sandbox as OpenAI streams them, event by event."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from webapp.sandbox.wording import pieces

DONE = b"data: [DONE]\n\n"


def chat(whole: dict[str, Any], fields: dict[str, Any]) -> Iterator[bytes]:
    """Chunks of a chat completion, one choice after the other; with usage, if asked for, in one more chunk."""
    base = {key: whole[key] for key in ("id", "created", "model", "service_tier", "system_fingerprint")}
    base["object"] = "chat.completion.chunk"
    yield from _chunks(base, (one for choice in whole["choices"] for one in _deltas(choice)), whole["usage"], fields)


def _deltas(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message, told = choice["message"], choice["logprobs"]
    first = {"role": "assistant", "content": None if message["content"] is None else "", "refusal": None}

    def one(delta: dict[str, Any], probability: dict[str, Any] | None = None, reason: Any = None) -> dict[str, Any]:
        return {"index": choice["index"], "delta": delta, "logprobs": probability, "finish_reason": reason}

    yield one(first, {"content": [], "refusal": None} if told else None)
    for at, piece in enumerate(pieces(message["content"] or "")):
        yield one({"content": piece}, {"content": [told["content"][at]], "refusal": None} if told else None)
    if "function_call" in message:
        call = message["function_call"]
        yield one({"function_call": {**call, "arguments": ""}})
        for piece in pieces(call["arguments"]):
            yield one({"function_call": {"arguments": piece}})
    for index, call in enumerate(message.get("tool_calls", [])):
        for part in _call_parts(call):
            yield one({"tool_calls": [{"index": index, **part}]})
    yield one({}, reason=choice["finish_reason"])


def _call_parts(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = call["type"]
    word = "arguments" if kind == "function" else "input"
    yield {**call, kind: {**call[kind], word: ""}}
    for piece in pieces(call[kind][word]):
        yield {kind: {word: piece}}


def completion(whole: dict[str, Any], fields: dict[str, Any]) -> Iterator[bytes]:
    """Chunks of a text completion."""
    base = {key: whole[key] for key in ("id", "object", "created", "model")}
    yield from _chunks(base, (one for choice in whole["choices"] for one in _texts(choice)), whole["usage"], fields)


def _texts(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    told = choice["logprobs"]
    for at, piece in enumerate(pieces(choice["text"])):
        some = {word: values[at : at + 1] for word, values in told.items()} if told else None
        yield {"text": piece, "index": choice["index"], "logprobs": some, "finish_reason": None}
    yield {"text": "", "index": choice["index"], "logprobs": None, "finish_reason": choice["finish_reason"]}


def images(whole: dict[str, Any], kind: str, partial: int) -> Iterator[bytes]:
    """`partial` previews, and one event for every image; `kind`: `image_generation` or `image_edit`.

    The last event has the usage of all images.
    """
    *others, last = whole["data"]
    shared = {key: whole[key] for key in ("output_format", "quality", "size", "background")}
    shared["created_at"] = whole["created"]
    for index in range(partial):
        yield event(f"{kind}.partial_image", {**last, **shared, "partial_image_index": index})
    nothing = {key: {} if isinstance(value, dict) else 0 for key, value in whole["usage"].items()}
    for image, usage in [*((image, nothing) for image in others), (last, whole["usage"])]:
        yield event(f"{kind}.completed", {**image, **shared, "usage": usage})


def transcript(whole: dict[str, Any]) -> Iterator[bytes]:
    """The words of a transcript, then all of it with its usage."""
    for piece in pieces(whole["text"]):
        yield event("transcript.text.delta", {"delta": piece})
    yield event("transcript.text.done", whole)


def speech(sound: Iterator[bytes], usage: dict[str, int]) -> Iterator[bytes]:
    """The sound piece by piece, then its usage."""
    for piece in sound:
        yield event("speech.audio.delta", {"audio": base64.b64encode(piece).decode()})
    yield event("speech.audio.done", {"usage": usage})


def event(kind: str, fields: dict[str, Any]) -> bytes:
    """One server-sent event, as those of responses, images and sounds."""
    return f"event: {kind}\n".encode() + _data({"type": kind, **fields})


def _chunks(
    base: dict[str, Any], choices: Iterator[dict[str, Any]], usage: dict[str, Any], fields: dict[str, Any]
) -> Iterator[bytes]:
    options = fields.get("stream_options")
    wanted = isinstance(options, dict) and options.get("include_usage") is True
    for choice in choices:
        yield _data({**base, "choices": [choice], **({"usage": None} if wanted else {})})
    if wanted:
        yield _data({**base, "choices": [], "usage": usage})
    yield DONE


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n\n"
