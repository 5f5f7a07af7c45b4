"""The body of a proxied request: JSON whole in memory, forms and binary as a stream, both bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from webapp.errors import ApiError
from webapp.gateway.routes import Route
from webapp.metering import FormReader, RequestFacts, read_json_request
from webapp.metering.references import NEEDS_OWN_KEY, UNREADABLE, Objection

CHUNK = 65536
STREAMED = ("multipart/", "application/octet-stream", "audio/", "video/", "image/")


class ClientGone(Exception):
    """The client went away before it had sent its whole request."""


class ObjectionFound(Exception):
    """A form turned out on its way to hold what may not go out with a shared OpenAI key."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.code)
        self.objection = objection


class Body:
    """``content`` is what goes upstream: bytes, an iterator of chunks, or None. ``length`` is None when chunked.

    ``objection``: what is known before it is sent against sending it with an OpenAI key that several organizations
    share. Set ``shared`` when it goes out with one, and a form is watched on its way.
    """

    def __init__(self, environ: dict[str, Any], route: Route, max_body: int, max_upload: int) -> None:
        if _encoded(environ):
            raise ApiError(415, "unsupported_content_encoding", "Send the request's body without an encoding")
        self._endpoint, self._form = route.endpoint, None
        self.shared = False
        self.objection = Objection(NEEDS_OWN_KEY) if route.forwarded == "own_key" else None
        self._input: BinaryIO = environ["wsgi.input"]
        self.length = _length(environ)
        self.content: bytes | Iterator[bytes] | None = None
        self.facts = RequestFacts()
        if self.length is None and not _chunked(environ):
            return
        kind = environ.get("CONTENT_TYPE", "")
        streamed = kind.lower().startswith(STREAMED)
        self._limit = max_upload if streamed else max_body
        if (self.length or 0) > self._limit:
            raise too_large(self._limit)
        if streamed:
            self._form = FormReader(kind)
            self.objection = self.objection or (None if route.takes_form else Objection(UNREADABLE))
            self.content = self._chunks()
        else:
            self._read_json()

    def read_facts(self) -> RequestFacts:
        """What the request says of itself; of a streamed one only once it was sent."""
        return self._form.facts(self._endpoint) if self._form else self.facts

    def whole(self) -> bytes:
        """All of it, for the sandbox; an upload that it would refuse anyway is not read."""
        if isinstance(self.content, bytes):
            return self.content
        return b"" if self.objection else b"".join(self.content or ())

    def _read_json(self) -> None:
        try:
            content = b"".join(self._chunks())
        except ClientGone:
            raise ApiError(400, "incomplete_body", "The request's body broke off") from None
        self.facts = read_json_request(self._endpoint, content)
        self.content = self.facts.body
        self.objection = self.objection or self.facts.objection
        if self.length is not None:
            self.length = len(self.content)

    def _chunks(self) -> Iterator[bytes]:
        """The body as it comes in. Raises ClientGone, ObjectionFound, or ApiError 413 for one that never ends."""
        got = 0
        while chunk := self._read():
            got += len(chunk)
            if got > self._limit:
                raise too_large(self._limit)
            if self._form:
                self._form.feed(chunk)
                if self.shared and self._form.objection:
                    raise ObjectionFound(self._form.objection)
            yield chunk
        if self.length is not None and got < self.length:
            raise ClientGone

    def _read(self) -> bytes:
        try:
            return self._input.read(CHUNK)
        except Exception:  # the server's own exceptions for a connection that broke or a chunk that is none
            raise ClientGone from None


def too_large(limit: int) -> ApiError:
    """413 with the limit in it."""
    return ApiError(413, "request_too_large", f"The request's body is larger than {limit} bytes")


def _encoded(environ: dict[str, Any]) -> bool:
    """Whether the body is compressed, so that it could not be read, or not be passed on as it came."""
    content = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    transfer = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    return content not in ("", "identity") or transfer not in ("", "chunked")


def _length(environ: dict[str, Any]) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isdigit() and not _chunked(environ) else None


def _chunked(environ: dict[str, Any]) -> bool:
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
