"""The sandbox: a simulated OpenAI that answers when no OpenAI key is set.

Answers have OpenAI's shapes, ids, headers and usage blocks, so clients and metering work as with OpenAI; their texts
say that they are simulated. The same request gets the same texts, calls of tools and usage; ids and times differ.
Tokens are estimated: a quarter of the characters, rounded up, and three per message.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.sandbox import chat, pictures, responding, responding_events, sounds, streams, vectors
from webapp.sandbox.asked import content_type, fields_of
from webapp.sandbox.refused import SandboxError
from webapp.sandbox.served import OTHERS, SERVED, listed_model

Headers = list[tuple[str, str]]
JSON_TYPE, SSE_TYPE = "application/json", "text/event-stream; charset=utf-8"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


@dataclass
class SandboxAnswer:
    """An answer in the shape of a real upstream's: a status line, headers in order, and the body in chunks."""

    status: int
    reason: str
    headers: Headers
    chunks: Iterator[bytes]
    begun = ended = False  # as those of webapp.upstream.client.Answer: nothing of the body is there yet

    def header(self, name: str) -> str:
        """First value of a header, or an empty string."""
        return next((value for found, value in self.headers if found.lower() == name), "")

    def stop_at(self, deadline: float) -> None:
        """Does nothing, since no chunk has to be waited for; a real upstream's answer ends at the deadline."""

    def close(self) -> None:
        """Does nothing; a real upstream's answer gives back its connection."""


def answer(
    method: str, path: str, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes | Iterator[bytes]
) -> SandboxAnswer:
    """Answer a request for OpenAI's `path` (`/v1/chat/completions`, a query is ignored) as the sandbox does.

    body: JSON or a form at once, or the pieces of an upload, which are read and not kept.
    """
    path = path.partition("?")[0]
    try:
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return _models(method, path)
        handler = _HANDLERS.get(path)
        if handler is None:
            message = f"The sandbox keeps nothing, so it has no {path}; an admin can store an OpenAI key under Settings"
            raise SandboxError(404, message, code="not_in_sandbox")
        if method != "POST":
            raise SandboxError(
                405, f"Not allowed to {method} on {path} (HINT: Perhaps you meant to make a POST request?)"
            )
        return handler(fields_of(path, content_type(headers), body))
    except SandboxError as error:
        kind = {"type": "invalid_request_error", "param": error.param, "code": error.code}
        return _json({"error": {"message": str(error), **kind}}, error.status)


def _chat(fields: dict[str, Any]) -> SandboxAnswer:
    whole = chat.chat(fields)
    return _sse(streams.chat(whole, fields), whole) if fields.get("stream") is True else _json(whole)


def _completions(fields: dict[str, Any]) -> SandboxAnswer:
    whole = chat.completion(fields)
    return _sse(streams.completion(whole, fields), whole) if fields.get("stream") is True else _json(whole)


def _responses(fields: dict[str, Any]) -> SandboxAnswer:
    whole = responding.response(fields)
    return _sse(responding_events.response(whole), whole) if fields.get("stream") is True else _json(whole)


def _images(fields: dict[str, Any]) -> SandboxAnswer:
    whole = pictures.images(fields)
    if fields.get("stream") is True and "usage" in whole:
        kind = "image_edit" if "image" in fields or "images" in fields else "image_generation"
        return _sse(streams.images(whole, kind, pictures.partial_images(fields)), whole)
    return _json(whole)


def _speech(fields: dict[str, Any]) -> SandboxAnswer:
    kind, sound = sounds.speech(fields)
    if fields.get("stream_format") == "sse":
        return _sse(streams.speech(sound, sounds.speech_usage(fields)), {})
    return _answer(200, [("content-type", kind)], sound)


def _transcript(fields: dict[str, Any]) -> SandboxAnswer:
    form = sounds.transcript_format(fields)
    if form in sounds.PLAIN:
        return _plain(sounds.transcript_text(fields, form))
    whole = sounds.transcript(fields, form)
    return _sse(streams.transcript(whole), {}) if fields.get("stream") is True else _json(whole)


def _translation(fields: dict[str, Any]) -> SandboxAnswer:
    form = sounds.transcript_format(fields)
    return (
        _plain(sounds.transcript_text(fields, form))
        if form in sounds.PLAIN
        else _json(sounds.translation(fields, form))
    )


def _plain(text: str) -> SandboxAnswer:
    return _answer(200, [("content-type", "text/plain; charset=utf-8")], [text.encode()])


def _models(method: str, path: str) -> SandboxAnswer:
    if method != "GET":
        raise SandboxError(405, f"Not allowed to {method} on {path}")
    if path == "/v1/models":
        return _json({"object": "list", "data": [listed_model(name) for name in (*SERVED, *OTHERS)]})
    return _json(listed_model(path.removeprefix("/v1/models/")))


_HANDLERS: dict[str, Callable[[dict[str, Any]], SandboxAnswer]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completions,
    "/v1/responses": _responses,
    "/v1/responses/compact": lambda fields: _json(responding.compaction(fields)),
    "/v1/responses/input_tokens": lambda fields: _json(responding.input_tokens(fields)),
    "/v1/embeddings": lambda fields: _json(vectors.embeddings(fields)),
    "/v1/moderations": lambda fields: _json(vectors.moderation(fields)),
    "/v1/images/generations": _images,
    "/v1/images/edits": _images,
    "/v1/images/variations": _images,
    "/v1/audio/speech": _speech,
    "/v1/audio/transcriptions": _transcript,
    "/v1/audio/translations": _translation,
}


def _json(value: dict[str, Any], status: int = 200) -> SandboxAnswer:
    body = json.dumps(value, indent=2, ensure_ascii=False).encode(errors="replace")
    length = [("content-length", str(len(body)))]
    return _answer(status, [("content-type", JSON_TYPE), *length, *_model_header(value)], [body])


def _sse(events: Iterator[bytes], whole: dict[str, Any]) -> SandboxAnswer:
    return _answer(200, [("content-type", SSE_TYPE), *_model_header(whole)], events)


def _model_header(value: dict[str, Any]) -> Headers:
    name = value.get("model", "")
    return [("openai-model", name)] if name.isascii() and name.isprintable() and name else []


def _answer(status: int, headers: Headers, chunks: Iterator[bytes] | list[bytes]) -> SandboxAnswer:
    openai = [
        ("openai-version", "2020-10-01"),
        ("openai-organization", "spendai-sandbox"),
        ("openai-processing-ms", str(1 + time.monotonic_ns() % 50)),
        ("x-request-id", f"req_{secrets.token_hex(16)}"),
    ]
    return SandboxAnswer(status, REASONS[status], [*headers, *openai], iter(chunks))
