"""The sandbox: a simulated OpenAI that answers when no OpenAI key is set.

Answers have OpenAI's shapes, ids, headers and usage blocks, so clients and metering work as with OpenAI; their text
says that they are simulated. Tokens are estimated: a quarter of the characters, rounded up, and three per message.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.metering import FormReader
from webapp.metering.request import IMAGES
from webapp.sandbox import answers, streams
from webapp.sandbox.media import WAV

Headers = list[tuple[str, str]]
JSON_TYPE, SSE_TYPE = "application/json", "text/event-stream; charset=utf-8"
MAX_INPUTS = 2048  # texts to embed at once; OpenAI's limit
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


@dataclass
class SandboxAnswer:
    """An answer in the shape of a real upstream's: a status line, headers in order, and the body in chunks."""

    status: int
    reason: str
    headers: Headers
    chunks: Iterator[bytes]

    def header(self, name: str) -> str:
        """First value of a header, or an empty string."""
        return next((value for found, value in self.headers if found.lower() == name), "")

    def stop_at(self, deadline: float) -> None:
        """Does nothing, since no chunk has to be waited for; a real upstream's answer ends at the deadline."""

    def close(self) -> None:
        """Does nothing; a real upstream's answer gives back its connection."""


class SandboxError(Exception):
    """A request that OpenAI would refuse."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code


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
        return handler(_fields(path, _content_type(headers), body))
    except SandboxError as error:
        kind = {"type": "invalid_request_error", "param": error.param, "code": error.code}
        return _json({"error": {"message": str(error), **kind}}, error.status)


def _content_type(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in dict(headers).items() if name.lower() == "content-type"), "")


def _fields(path: str, content_type: str, body: bytes | Iterator[bytes]) -> dict[str, Any]:
    """The request's fields, from JSON or from a form; refuses what OpenAI refuses."""
    if content_type.lower().startswith("multipart/form-data"):
        reader = FormReader(content_type)
        for piece in (body,) if isinstance(body, bytes) else body:
            reader.feed(piece)
        facts = reader.facts(path)
        fields: dict[str, Any] = {"model": facts.model, "stream": facts.stream, **facts.details}
    else:
        fields = _parsed(body if isinstance(body, bytes) else _nothing_of(body))
    if not isinstance(fields.get("model"), str) and (path not in _MODEL_OPTIONAL or fields.get("model") is not None):
        raise SandboxError(400, "you must provide a model parameter")
    for name in _REQUIRED.get(path, ()):
        if fields.get(name) is None:
            raise SandboxError(
                400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
            )
    return fields


def _nothing_of(pieces: Iterator[bytes]) -> bytes:
    """Reads a file that was sent where a form or JSON belongs, without keeping it."""
    for _ in pieces:
        pass
    return b""


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SandboxError(
            400, "We could not parse the JSON body of your request. (HINT: the body must be a JSON object.)"
        )
    return fields


def _refuse(constant: str) -> None:
    """Refuses NaN and Infinity, which Python accepts although they are no JSON."""
    raise ValueError(constant)


def _chat(fields: dict[str, Any]) -> SandboxAnswer:
    whole = answers.chat(fields)
    return _sse(streams.chat(whole, fields), whole) if fields.get("stream") is True else _json(whole)


def _completions(fields: dict[str, Any]) -> SandboxAnswer:
    whole = answers.completion(fields)
    return _sse(streams.completion(whole, fields), whole) if fields.get("stream") is True else _json(whole)


def _responses(fields: dict[str, Any]) -> SandboxAnswer:
    whole = answers.response(fields)
    return _sse(streams.response(whole), whole) if fields.get("stream") is True else _json(whole)


def _embeddings(fields: dict[str, Any]) -> SandboxAnswer:
    if isinstance(fields["input"], list) and len(fields["input"]) > MAX_INPUTS and isinstance(fields["input"][0], str):
        raise SandboxError(400, f"'input' has more than {MAX_INPUTS} elements.", param="input")
    return _json(answers.embeddings(fields))


def _images(fields: dict[str, Any]) -> SandboxAnswer:
    whole = answers.images(fields)
    if fields.get("stream") is True and "usage" in whole:
        return _sse(streams.images(whole, "image_generation" if "prompt" in fields else "image_edit"), whole)
    return _json(whole)


def _speech(fields: dict[str, Any]) -> SandboxAnswer:
    if fields.get("stream_format") == "sse":
        return _sse(streams.speech(WAV, answers.speech_usage(fields)), {})
    return _answer(200, [("content-type", "audio/wav")], [WAV])


def _transcript(fields: dict[str, Any]) -> SandboxAnswer:
    kind = fields.get("response_format") or "json"
    if kind in ("text", "srt", "vtt"):
        return _answer(200, [("content-type", "text/plain; charset=utf-8")], [answers.transcript_text(kind).encode()])
    whole = answers.transcript(fields, verbose=kind == "verbose_json")
    return _sse(streams.transcript(whole), {}) if fields.get("stream") is True else _json(whole)


def _translation(fields: dict[str, Any]) -> SandboxAnswer:
    if fields.get("response_format") in ("text", "srt", "vtt"):
        return _transcript(fields)
    return _json(answers.translation(verbose=fields.get("response_format") == "verbose_json"))


def _models(method: str, path: str) -> SandboxAnswer:
    if method != "GET":
        raise SandboxError(405, f"Not allowed to {method} on {path}")
    if path == "/v1/models":
        return _json({"object": "list", "data": [answers.model(name) for name in answers.SERVED]})
    return _json(answers.model(path.removeprefix("/v1/models/")))


_HANDLERS: dict[str, Callable[[dict[str, Any]], SandboxAnswer]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completions,
    "/v1/responses": _responses,
    "/v1/responses/compact": lambda fields: _json(answers.compaction(fields)),
    "/v1/responses/input_tokens": lambda fields: _json(answers.input_tokens(fields)),
    "/v1/embeddings": _embeddings,
    "/v1/moderations": lambda fields: _json(answers.moderation(fields)),
    "/v1/images/generations": _images,
    "/v1/images/edits": _images,
    "/v1/images/variations": _images,
    "/v1/audio/speech": _speech,
    "/v1/audio/transcriptions": _transcript,
    "/v1/audio/translations": _translation,
}
_MODEL_OPTIONAL = ("/v1/moderations", "/v1/responses/input_tokens", *IMAGES)
_REQUIRED = {
    "/v1/chat/completions": ("messages",),
    "/v1/embeddings": ("input",),
    "/v1/images/generations": ("prompt",),
    "/v1/audio/speech": ("input", "voice"),
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
