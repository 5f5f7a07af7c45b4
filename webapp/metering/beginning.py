"""What an answer is by its first bytes: an event stream labelled as JSON or not at all, JSON labelled as a stream.

No JSON value begins as a field of an event stream does: `data:`, `event:`, `id:`, `retry:`, or `:` for a comment.
"""

from __future__ import annotations

import re

from webapp.metering.inflate import Inflater

MEDIA = ("audio/", "image/", "video/")  # labels that are believed
EVENTS = (b"data: ", b"event: ")  # how the plain text of nearly every event stream begins
_BEFORE = b" \t\r\n\xef\xbb\xbf"  # white space and the byte order mark
_FIELD = re.compile(rb"(?:data|event|id|retry)?:")
_FIELDS = (b"data:", b"event:", b"id:", b"retry:")


class Beginning:
    """Collects the beginning of a body in `held`.

    encoding: its Content-Encoding, "" for none. label: whether its Content-Type says that it is an event stream.
    """

    def __init__(self, encoding: str, *, label: bool) -> None:
        self.held = self._text = b""
        self._inflater = Inflater(encoding) if Inflater.can(encoding) else None
        self._label = label

    def add(self, chunk: bytes) -> bool | None:
        """Take the next bytes. Returns whether the body is an event stream, or None if that needs more bytes."""
        self.held += chunk
        for piece in self._inflater.feed(chunk) if self._inflater else (chunk,):
            self._text = (self._text + piece[:64])[:8] if self._text else piece.lstrip(_BEFORE)[:8]
        if _FIELD.match(self._text):
            return True
        if any(field.startswith(self._text) for field in _FIELDS):
            return None
        return self._label and self._text[:1] not in b"{["
