"""What a request asks for: its fields from JSON or from a form, and what it has to have."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from webapp.metering.request import IMAGES
from webapp.sandbox.refused import SandboxError

MAX_FIELD_BYTES = 65_536
MAX_BUFFER_BYTES = 262_144  # what the decoder may hold: part headers, never a part
MAX_PARTS = 1000
SLICE = 65_536
WAV_HEAD = 44  # bytes before the samples of a WAV file
BYTES_PER_SECOND = 16_000  # of a sound that is no WAV file: 128 kbit/s

_MODEL_OPTIONAL = ("/v1/moderations", "/v1/responses/input_tokens", *IMAGES)
_REQUIRED = {
    "/v1/chat/completions": ("messages",),
    "/v1/embeddings": ("input",),
    "/v1/images/generations": ("prompt",),
    "/v1/audio/speech": ("input", "voice"),
}


class Upload(NamedTuple):
    """A file of a form, of which only the beginning is kept."""

    head: bytes
    size: int

    def seconds(self) -> int:
        """The length of the sound, rounded up: exact for a WAV file, else guessed from the size."""
        rate = struct.unpack("<I", self.head[28:32])[0] if self.head[:4] == b"RIFF" and len(self.head) >= 32 else 0
        return max(1, math.ceil((self.size - WAV_HEAD) / rate if rate else self.size / BYTES_PER_SECOND))


def fields_of(path: str, content_type: str, body: bytes | Iterator[bytes]) -> dict[str, Any]:
    """The fields of a request; a file is an Upload. Refuses what OpenAI refuses."""
    if content_type.lower().startswith("multipart/form-data"):
        fields = _form(content_type, (body,) if isinstance(body, bytes) else body)
    else:
        fields = _parsed(body if isinstance(body, bytes) else _nothing_of(body))
    if not isinstance(fields.get("model"), str) and (path not in _MODEL_OPTIONAL or fields.get("model") is not None):
        raise SandboxError(400, "you must provide a model parameter")
    for name in _REQUIRED.get(path, ()):
        if fields.get(name) is None:
            message = f"Missing required parameter: '{name}'."
            raise SandboxError(400, message, param=name, code="missing_required_parameter")
    return fields


def content_type(headers: Mapping[str, str] | Any) -> str:
    """The request's content type; "" where it has none."""
    return next((value for name, value in dict(headers).items() if name.lower() == "content-type"), "")


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
        message = "We could not parse the JSON body of your request. (HINT: the body must be a JSON object.)"
        raise SandboxError(400, message)
    return fields


def _refuse(constant: str) -> None:
    """Refuses NaN and Infinity, which Python accepts although they are no JSON."""
    raise ValueError(constant)


def _form(content_type: str, pieces: Iterator[bytes] | tuple[bytes, ...]) -> dict[str, Any]:
    """The fields of a form: texts, lists of texts for names that end in `[]`, and uploads. All of it is read."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    reader = _FormReader(boundary)
    for piece in pieces:
        for at in range(0, len(piece), SLICE):
            reader.feed(piece[at : at + SLICE])
    return reader.fields()


class _FormReader:
    """Reads a form piece by piece. Malformed bytes end the reading."""

    def __init__(self, boundary: str) -> None:
        self._parts: list[tuple[str, bool, bytearray]] = []
        self._sizes: list[int] = []
        self._decoder: MultipartDecoder | None = None
        try:
            self._decoder = MultipartDecoder(boundary.encode("latin-1"), MAX_BUFFER_BYTES, max_parts=MAX_PARTS)
        except (ValueError, OverflowError):
            return

    def feed(self, piece: bytes) -> None:
        if self._decoder is None:
            return
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                self._take(event)
        except Exception:  # whatever malformed bytes do to the decoder
            self._decoder = None

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (name, is_file, kept), size in zip(self._parts, self._sizes, strict=True):
            value = Upload(bytes(kept), size) if is_file else kept.decode(errors="replace")
            if name.endswith("[]"):
                found.setdefault(name[:-2], []).append(value)
            else:
                found[name] = value.lower() == "true" if name == "stream" and isinstance(value, str) else value
        return found

    def _take(self, event: Any) -> None:
        if isinstance(event, Field | File):
            self._parts.append((event.name, isinstance(event, File), bytearray()))
            self._sizes.append(0)
        elif isinstance(event, Data) and self._parts:
            _, is_file, kept = self._parts[-1]
            kept += event.data[: (WAV_HEAD if is_file else MAX_FIELD_BYTES) - len(kept)]
            self._sizes[-1] += len(event.data)
