"""Facts of a multipart body, read from a copy of its bytes as they pass: short text fields, length of a recording."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from webapp.metering.audio import Recording
from webapp.metering.jsonwalk import parse
from webapp.metering.references import UNREADABLE, Objection, form_objection
from webapp.metering.request import MAX_MODEL_CHARS, TRANSCRIPTS, RequestFacts, end_user, price_details
from webapp.metering.tags import metadata_tags
from webapp.metering.text import clean

METADATA = "metadata"
NAMES = frozenset({"model", "stream", "user", "safety_identifier", "response_format", "n", "size", "quality", METADATA})
MAX_FIELD_BYTES = 4096
MAX_BUFFER_BYTES = 262_144  # what the decoder may hold: part headers, never a part
MAX_PARTS = 1000
MAX_METADATA = 100  # fields `metadata[…]` that are kept
METADATA_FIELD = re.compile(r"metadata\[[^\]]+\]")
_SLICE = 65_536


class FormReader:
    """Feed it a body's chunks; `facts` returns what the known fields said. Malformed bytes end the reading.

    `objection`: why the form may not be sent with an OpenAI key that several organizations share (see references).
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        usable = kind.lower() == "multipart/form-data" and boundary != ""
        self._decoder = _decoder(boundary) if usable else None
        self.objection = None if self._decoder else Objection(UNREADABLE)
        self._values: dict[str, bytearray] = {}
        self._current: bytearray | None = None
        self._file: Recording | None = None  # the part that is being read
        self._files: list[Recording] = []

    def feed(self, chunk: bytes) -> None:
        """Read one more chunk of the body, of any size."""
        for at in range(0, len(chunk), _SLICE):
            if self._decoder is None:
                return
            try:
                self._decoder.receive_data(chunk[at : at + _SLICE])
                self._drain(self._decoder)
            except Exception:  # whatever malformed bytes do to the decoder: the body goes upstream all the same
                self._decoder = None
                self.objection = self.objection or Objection(UNREADABLE)

    def facts(self, endpoint: str) -> RequestFacts:
        """What has been read so far, for OpenAI's path `endpoint`; `body` stays empty."""
        fields: dict[str, Any] = {name: value.decode(errors="replace") for name, value in self._values.items()}
        return RequestFacts(
            model=clean(fields.get("model"), MAX_MODEL_CHARS),
            stream=fields.get("stream", "").lower() == "true",
            end_user=end_user(fields),
            details=price_details(endpoint, fields) | self._length(endpoint),
            metadata=metadata_tags(_metadata(fields)),
        )

    def _length(self, endpoint: str) -> dict[str, Any]:
        """The `seconds` of the one file that is to be transcribed, if its header says them."""
        seconds = self._files[0].seconds() if endpoint in TRANSCRIPTS and len(self._files) == 1 else None
        return {"seconds": seconds} if seconds else {}

    def _drain(self, decoder: MultipartDecoder) -> None:
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Data):
                self._take(event)
            else:  # the next part begins: a field, a file, or the preamble before them
                is_text = isinstance(event, Field)
                if isinstance(event, Field | File):
                    self.objection = self.objection or form_objection(event.name, is_file=not is_text)
                self._file = Recording() if isinstance(event, File) and event.name == "file" else None
                self._files += [self._file] if self._file else []
                known = is_text and (event.name in NAMES or self._is_metadata(event.name))
                self._current = self._values.setdefault(event.name, bytearray()) if known else None
                if self._current:
                    self._current.clear()  # the same field again: the last counts

    def _is_metadata(self, name: str | None) -> bool:
        """Whether to keep a field `metadata[…]`, which is how SDKs send an object in a form."""
        return bool(name and name.startswith(f"{METADATA}[")) and len(self._values) < len(NAMES) + MAX_METADATA

    def _take(self, event: Data) -> None:
        if self._current is not None:
            self._current += event.data[: MAX_FIELD_BYTES - len(self._current)]
        if self._file:
            self._file.add(event.data)
            self._file.ended = not event.more_data


def _metadata(fields: dict[str, str]) -> dict[str, Any]:
    """The form's metadata: the fields `metadata[name]`, and those of `metadata` where that is a JSON object."""
    whole = parse(fields.get(METADATA, "").encode())
    return whole | {
        name[len(METADATA) + 1 : -1]: text for name, text in fields.items() if METADATA_FIELD.fullmatch(name)
    }


def _decoder(boundary: str) -> MultipartDecoder | None:
    try:
        return MultipartDecoder(boundary.encode("latin-1"), MAX_BUFFER_BYTES, max_parts=MAX_PARTS)
    except (ValueError, OverflowError):
        return None
