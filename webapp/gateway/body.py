"""The body of a proxied request: JSON is read whole into memory, forms and files are streamed; both are bounded."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from webapp.errors import ApiError
from webapp.gateway.refusals import HUNG_UP, OWN_KEY, CallFailed, refused
from webapp.gateway.routes import Target
from webapp.metering import FormReader, RequestFacts, read_json_request
from webapp.metering.references import NEEDS_OWN_KEY, UNREADABLE, Objection
from webapp.pause import Pause

CHUNK = 65536
LARGE_CHUNK = 1 << 20  # of a body that is held in memory: the server copies what it has received for each read
CHECKED_BYTES = 65536  # a JSON body that is larger, or may be, is read only after its key was checked
STREAMED = ("multipart/", "application/octet-stream", "audio/", "video/", "image/")
NO_FACTS = RequestFacts()
# The beginning of an object up to where a model can be put in. The first group stands before it; the second is there
# where the object begins with `"model": null`, as LangChain's clients for Azure send it; the third in an empty object.
OBJECT = re.compile(
    rb"((?:\xef\xbb\xbf)?[ \t\r\n]*\{[ \t\r\n]*)"
    rb'("model"[ \t\r\n]*:[ \t\r\n]*null(?=[ \t\r\n]*[,}]))?(?=[ \t\r\n]*(\})?)'
)


class RequestBody:
    """A body that is wholly in memory, or none at all (``content`` None).

    ``length``: bytes to send, or None when there is no body or it goes out in chunks. ``objection``: why it may not be
    sent with an OpenAI key that several organizations share, as far as that is known before it is sent.
    """

    def __init__(
        self,
        length: int | None = None,
        objection: Objection | None = None,
        content: bytes | None = None,
        facts: RequestFacts = NO_FACTS,
    ) -> None:
        self.length, self.objection, self._content, self._facts = length, objection, content, facts

    def facts(self) -> RequestFacts:
        """What the request says of itself, as far as it has been read."""
        return self._facts

    def withdraw_edit(self) -> None:
        """From now on, what goes upstream are the client's own bytes, which do not ask for usage."""
        self._facts = self._facts.unedited()
        self._content = self._facts.body
        self.length = None if self.length is None else len(self._content)

    def outgoing(self, *, shared: bool) -> bytes | Iterator[bytes] | None:
        """What goes upstream; ``shared``: with an OpenAI key that several organizations share."""
        return self._content

    def whole(self) -> bytes | Iterator[bytes]:
        """All of it, for the sandbox: at once, or piece by piece."""
        return self._content or b""


class UploadBody(RequestBody):
    """A form or a file, read while it is sent: its facts are those of the part that was sent so far."""

    def __init__(
        self, length: int | None, objection: Objection | None, pieces: Iterator[bytes], form: FormReader, endpoint: str
    ) -> None:
        super().__init__(length, objection)
        self._pieces, self._form, self._endpoint = pieces, form, endpoint

    def facts(self) -> RequestFacts:
        """What the form's fields said so far."""
        return self._form.facts(self._endpoint)

    def outgoing(self, *, shared: bool) -> Iterator[bytes]:
        """The pieces as they come in. Raises CallFailed if the body breaks off, is too large, or must not be sent."""
        for piece in self._pieces:
            self._form.feed(piece)
            if shared and self._form.objection:  # error: OpenAI does not bill a form it got only in part
                raise CallFailed("error", refused(self._form.objection.code, self._form.objection))
            yield piece

    def whole(self) -> bytes | Iterator[bytes]:
        """Its pieces; nothing of an upload that the sandbox would refuse anyway."""
        return b"" if self.objection else self.outgoing(shared=False)


def read_body(
    environ: dict[str, Any], target: Target, max_body: int, max_upload: int, check_key: Callable[[], None]
) -> RequestBody:
    """The request's body, bounded by ``max_body`` bytes, forms and files by ``max_upload``.

    ``check_key`` is called before more than CHECKED_BYTES of JSON are read. A JSON body that names no model gets the
    target's. Raises ApiError, or what ``check_key`` raises.
    """
    route = target.route
    if _encoded(environ):
        raise ApiError(415, "unsupported_content_encoding", "Send the request's body without an encoding")
    why = OWN_KEY.get(route.path.split("/")[1])
    objection = Objection(NEEDS_OWN_KEY, why=why) if route.forwarded == "own_key" else None
    length = _length(environ)
    if length is None and not _chunked(environ):
        return RequestBody(objection=objection)
    kind = environ.get("CONTENT_TYPE", "")
    streamed = kind.lower().startswith(STREAMED)
    limit = max_upload if streamed else max_body
    if (length or 0) > limit:
        raise too_large(limit)
    pieces = _pieces(environ, length, limit, CHUNK if streamed or length is None else LARGE_CHUNK)
    if streamed:
        objection = objection or (None if route.takes_form else Objection(UNREADABLE))
        return UploadBody(length, objection, pieces, FormReader(kind), route.endpoint)
    pause = Pause()
    try:
        content = _whole(pieces, length, check_key, pause)
    except CallFailed as failed:
        raise failed.error from None  # there is no call yet
    facts = read_json_request(route.endpoint, content, pause)
    if target.model and facts.model is None:
        facts = _with_model(facts, target, content, pause)
    length = None if length is None else len(facts.body)  # it may have been edited to ask for usage
    return RequestBody(length, objection or facts.objection, facts.body, facts)


def _with_model(facts: RequestFacts, target: Target, content: bytes, pause: Pause) -> RequestFacts:
    """The facts of a JSON object after the target's model was put into it; the given ones where that is impossible."""
    begin = OBJECT.match(content)
    if begin is None:
        return facts
    member = b'"model":' + json.dumps(target.model).encode() + (b"" if begin[2] or begin[3] else b",")
    edited = b"".join((begin[1], member, memoryview(content)[begin.end() :]))
    named = read_json_request(target.route.endpoint, edited, pause)
    return named if named.model else facts


def _whole(pieces: Iterator[bytes], length: int | None, check_key: Callable[[], None], pause: Pause) -> bytes:
    """All pieces as one, which is in memory once; ``check_key`` is called before more than CHECKED_BYTES are read."""
    if length is not None and length <= CHECKED_BYTES:  # one piece as a rule, which is then not copied
        return b"".join(pieces)
    checked, whole = length is not None, io.BytesIO()
    if checked:
        check_key()
    for piece in pieces:
        whole.write(piece)
        pause()  # reading waits for nothing as long as the client sends fast enough
        if not checked and whole.tell() >= CHECKED_BYTES:
            check_key()
            checked = True
    return whole.getvalue()


def _pieces(environ: dict[str, Any], length: int | None, limit: int, size: int) -> Iterator[bytes]:
    """The body as it comes in. Raises CallFailed when it breaks off, or goes on beyond ``limit`` bytes."""
    got = 0
    while piece := _read(environ, size):
        got += len(piece)
        if got > limit:
            raise CallFailed("no_usage", too_large(limit))
        yield piece
    if length is not None and got < length:
        raise _broken_off()


def _read(environ: dict[str, Any], size: int) -> bytes:
    try:
        return environ["wsgi.input"].read(size)
    except TimeoutError:  # the client is too slow, see webapp/server/peers.py
        raise CallFailed("no_usage", ApiError(408, "slow_body", "The request's body came too slowly")) from None
    except Exception:  # the server's own exceptions for a connection that broke, and for bytes that are not a chunk
        raise _broken_off() from None


def _broken_off() -> CallFailed:
    """The client went away before it had sent its whole request."""
    return CallFailed("no_usage", ApiError(400, "incomplete_body", "The request's body broke off"), status=HUNG_UP)


def too_large(limit: int) -> ApiError:
    """413 with the limit in it."""
    return ApiError(413, "request_too_large", f"The request's body is larger than {limit} bytes")


def is_large(environ: dict[str, Any]) -> bool:
    """Whether a request has a body of more than CHECKED_BYTES, or of unknown length."""
    return _chunked(environ) or (_length(environ) or 0) > CHECKED_BYTES


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
