"""Request facts: what the row takes from a request, and the one edit of a streamed completion (ask_for_usage)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from webapp.metering.containers import CONTAINERS, memory, memory_of
from webapp.metering.jsonwalk import as_object, as_objects, decode, document, members
from webapp.metering.large import OPTIONS, RequestReader
from webapp.metering.references import UNREADABLE, Objection, objection
from webapp.metering.scan import no_pause
from webapp.metering.tags import NO_TAGS, Tags, metadata_tags
from webapp.metering.text import clean

LARGE = 65_536  # bytes of a body from which on it is not decoded as a whole
MAX_MODEL_CHARS = 200
MAX_END_USER_CHARS = 256
MAX_WORD_CHARS = 64
MAX_WINDOW_CHARS = 40

USAGE_ON_REQUEST = ("/v1/chat/completions", "/v1/completions")  # usage in streams only if the request asks
IMAGES = ("/v1/images/generations", "/v1/images/edits", "/v1/images/variations")
TRANSCRIPTS = ("/v1/audio/transcriptions", "/v1/audio/translations")
SPEECH = "/v1/audio/speech"
RESPONSES = "/v1/responses"
BATCH_OUTPUT = "/v1/files/{file_id}/content"  # of a batch's output file, among all others

_BOM = "\ufeff"


class Edit(NamedTuple):
    """The one change of a body: its bytes from `start` to `end` stand where the client wrote `before`."""

    start: int
    end: int
    before: bytes


class RequestFacts(NamedTuple):
    """What a request says. `body` goes upstream: the client's own bytes, or edited to ask for usage when `injected`.

    `edit` is what was changed then, see `unedited`.
    `details` holds what decides the price where the answer does not: `characters` of speech input; `images`, `size`
    and `quality` of images; `response_format` of transcripts, and `seconds` of the file if its header says them;
    `completion_window` of a response in the background; `memory` of a response's containers, by kind of tool;
    `memory_limit` of a container. `objection`: why it may not use a shared OpenAI key. `metadata`: the tags that
    `metadata` of the request would be (see tags.py).
    """

    model: str | None = None
    stream: bool = False
    store: bool | None = None
    end_user: str | None = None
    body: bytes = b""
    injected: bool = False
    details: Mapping[str, Any] = MappingProxyType({})
    objection: Objection | None = None
    metadata: Tags = NO_TAGS
    edit: Edit | None = None

    def unedited(self) -> RequestFacts:
        """The facts with the body as the client sent it."""
        if self.edit is None:
            return self
        view, (start, end, before) = memoryview(self.body), self.edit
        body = b"".join((view[:start], before, view[end:]))
        return self._replace(body=body, injected=False, edit=None)


def read_json_request(
    endpoint: str,
    body: bytes,
    pause: Callable[[], None] = no_pause,
    is_own: Callable[[str, Any], bool] | None = None,
) -> RequestFacts:
    """Facts of a JSON body for OpenAI's path `endpoint`; none of a body that is not one JSON object.

    A body of more than LARGE bytes is read in short steps, with `pause` between them; it also has no facts if it nests
    too deeply or has too many members (see large.py). is_own: tells of a member of the object, by name and value, that
    it names nothing of another organization's, so that it is no objection.
    """
    if len(body) > LARGE:
        return _read_large(endpoint, body, pause, is_own)
    try:
        text = body.decode()
        fields = decode(text.removeprefix(_BOM))  # of duplicates the last counts, as in JSON parsers
        objected = objection(_others(fields, is_own) if is_own else fields)
        edited = ask_for_usage(text) if fields.get("stream") is True and endpoint in USAGE_ON_REQUEST else None
    except (ValueError, RecursionError):
        return RequestFacts(body=body, objection=Objection(UNREADABLE) if body else None)
    if edited is None:
        return _facts(endpoint, fields, body, None, objected)
    changed = edited.encode()
    return _facts(endpoint, fields, changed, Edit(0, len(changed), body), objected)


def _others(fields: dict[str, Any], is_own: Callable[[str, Any], bool]) -> dict[str, Any]:
    """The object without the members that is_own tells; its type, which says of a key that is there twice, stays."""
    return type(fields)((name, value) for name, value in fields.items() if not is_own(name, value))


def read_fields(endpoint: str, fields: dict[str, Any], is_own: Callable[[str, Any], bool]) -> RequestFacts:
    """Facts of a request whose JSON object is decoded already, as part of a message; is_own: see read_json_request."""
    return _facts(endpoint, fields, b"", None, objection(_others(fields, is_own)))


def _facts(
    endpoint: str, fields: dict[str, Any], body: bytes, edit: Edit | None, objected: Objection | None
) -> RequestFacts:
    return RequestFacts(
        model=clean(fields.get("model"), MAX_MODEL_CHARS),
        stream=fields.get("stream") is True,
        store=fields["store"] if isinstance(fields.get("store"), bool) else None,
        end_user=end_user(fields),
        body=body,
        injected=edit is not None,
        details=price_details(endpoint, fields),
        objection=objected,
        metadata=metadata_tags(fields.get("metadata")),
        edit=edit,
    )


def _read_large(
    endpoint: str, body: bytes, pause: Callable[[], None], is_own: Callable[[str, Any], bool] | None
) -> RequestFacts:
    reader = RequestReader(is_own=is_own)
    reader.feed(body, pause)
    reader.finish(pause)
    if reader.failed:
        return RequestFacts(body=body, objection=Objection(UNREADABLE))
    asks = reader.fields.get("stream") is True and endpoint in USAGE_ON_REQUEST
    body, edit = _edited(body, reader) if asks else (body, None)
    facts = _facts(endpoint, reader.fields, body, edit, reader.objection)
    if endpoint == SPEECH and reader.characters is not None:
        return facts._replace(details={"characters": reader.characters})
    return facts


def _edited(body: bytes, reader: RequestReader) -> tuple[bytes, Edit | None]:
    """As ask_for_usage, for a large body of which only the member `stream_options` is looked at again."""
    if OPTIONS not in reader.fields:
        start = end = body.index(b"{") + 1
        new: bytes = b'"stream_options":{"include_usage":true},'
    elif reader.options:
        start, end = reader.options
        before = f'{{"{OPTIONS}":'
        edited = ask_for_usage(f"{before}{body[start:end].decode()}}}")
        if edited is None:
            return body, None
        new = edited[len(before) : -1].encode()
    else:  # more than one step long: no object that OpenAI would accept
        return body, None
    view = memoryview(body)
    return b"".join((view[:start], new, view[end:])), Edit(start, start + len(new), body[start:end])


def end_user(fields: dict[str, Any]) -> str | None:
    """OpenAI's `safety_identifier`, else the older `user`."""
    return clean(fields.get("safety_identifier"), MAX_END_USER_CHARS) or clean(fields.get("user"), MAX_END_USER_CHARS)


def price_details(endpoint: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The `details` of RequestFacts, which the price of `endpoint` needs; {} for most endpoints."""
    if endpoint == SPEECH and type(fields.get("input")) is str:
        return {"characters": len(fields["input"])}
    if endpoint in IMAGES:
        return {"images": _count(fields.get("n")), **_words(fields, "size", "quality")}
    if endpoint in TRANSCRIPTS:
        return _words(fields, "response_format")
    if endpoint == RESPONSES:
        return _response_details(fields)
    if endpoint == CONTAINERS and (limit := memory(fields.get("memory_limit"))):
        return {"memory_limit": limit}
    return {}


def _response_details(fields: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if fields.get("background") is True and fields.get("stream") is not True:
        window = clean(as_object(fields.get("background_options")).get("completion_window"), MAX_WINDOW_CHARS)
        if window and window != "soonest":
            details["completion_window"] = window
    if "tools" in fields and (asked := memory_of(as_objects(fields["tools"]))):
        details["memory"] = asked
    return details


def _words(fields: dict[str, Any], *names: str) -> dict[str, str]:
    words = {name: clean(fields.get(name), MAX_WORD_CHARS) for name in names}
    return {name: word for name, word in words.items() if word}


def _count(value: Any) -> int:
    """How many images `n` asks for; 1, the default, for anything but a number from 1 to 9999."""
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) > 0 else 1


def ask_for_usage(text: str) -> str | None:
    """The text with `stream_options.include_usage` set to true; None when it is, or cannot be set safely."""
    offset = len(text) - len(text.removeprefix(_BOM))
    found = document(text[offset:])
    options = next((member for member in reversed(found) if member.key == OPTIONS), None)
    if options is None:
        return _insert(text, text.index("{") + 1, '"stream_options":{"include_usage":true},')
    start, end = options.start + offset, options.end + offset
    if options.value is None:
        return _insert(text, start, '{"include_usage":true}', end)
    if not isinstance(options.value, dict):
        return None
    inner, _ = members(text, start)
    wanted = next((member for member in reversed(inner) if member.key == "include_usage"), None)
    if wanted is None:
        return _insert(text, start + 1, '"include_usage":true' + ("," if inner else ""))
    if wanted.value is None or wanted.value is False:
        return _insert(text, wanted.start, "true", wanted.end)
    return None  # already true, or an invalid value, which OpenAI refuses itself


def _insert(text: str, start: int, new: str, end: int | None = None) -> str:
    return text[:start] + new + text[start if end is None else end :]
