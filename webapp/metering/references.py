"""Request fields that name objects which OpenAI stores, so that one organization could reach another's.

Every request is searched before its call is opened: with such a field it may not use an OpenAI key that several
organizations share. Every name that ends in ``_id`` counts, except the names in HARMLESS: a field that OpenAI adds
later is refused on a shared key until somebody adds it there. Names are compared in lower case, because some parsers
take File_ID for file_id.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from webapp.metering.jsonwalk import NESTED, Doubled, has_double

NEEDS_OWN_KEY, DUPLICATE_KEYS, UNREADABLE = "needs_own_openai_key", "duplicate_keys", "unreadable_body"
# Names of a part of the same request, of one of OpenAI's own connectors, or, in a WebSocket, of a sequence of responses
# or of a message, both named by the client; never of a stored object.
HARMLESS = frozenset((
    "call_id", "tool_call_id", "caller_id", "approval_request_id", "connector_id", "stream_id", "event_id",
))  # fmt: skip
# Members whose object has names and values of the client's own choice: OpenAI looks up nothing by them, wherever they
# stand. A test compares them with all request types of openai-python (tests/webapp/metering/test_free_form.py).
FREE_FORM = frozenset((
    "metadata", "client_metadata", "request_metadata",  # labels
    "internal_chat_message_metadata_passthrough",  # labels that Codex gives the items of its input
    "parameters", "schema", "input_schema", "output_schema", "item_schema",  # JSON schemas
    "arguments", "data", "headers", "env", "attributes", "state_variables", "logit_bias",
    "error",  # of a tool, as it reported it
))  # fmt: skip
VARIABLES = "variables"  # of a prompt: the client chooses the names; a text is a text, an object may name a file
STORED = frozenset(("prompt", "voice", "audio"))  # members whose object names something stored by its id
# Items of an earlier answer, by type. Without the member named here, OpenAI looks up their id; None: it always does.
# An item of another type needs any member that is not in BESIDE.
CONTENT: dict[str | None, str | None] = {
    None: "content",
    "message": "content",
    "reasoning": "encrypted_content",
    "compaction": "encrypted_content",
    "image_generation_call": "result",
    "item_reference": None,
}
BESIDE = frozenset(("id", "type", "status", "role", "object"))  # members of an item that are no content
# What a client can do instead, by the name of the field or the type of the item. SDKs print only the message.
INSTEAD = {
    "reasoning": 'A reasoning item passes when it has its content: set include: ["reasoning.encrypted_content"] and'
    " store: false in the client, for every request, and start the conversation again",
    "item_reference": "Set store: false in the client, which then sends whole items instead of their ids; with a"
    ' reasoning model also include: ["reasoning.encrypted_content"]',
    "previous_response_id": "Send the whole conversation as input, with store: false",
    "conversation": "Send the whole conversation as input, with store: false",
    "background": "Ask without background, with stream: true for a long answer",
    "file_id": "Send the content itself: file_data, or image_url with a data: URL",
    "prompt": "Send the prompt's own text as instructions and input",
    "container": 'Let OpenAI make a container for the call: {"type": "auto"}',
}  # fmt: skip
TEXTS = frozenset(("role", "content", "name", "type", "text"))  # names of members that hold nothing but a text
FILES = re.compile(r"(file|image|mask|input_reference)(\W.*)?")  # form fields that hold files


class Objection(NamedTuple):
    """Why a request may not use an OpenAI key that serves several organizations: a code, the field, another reason."""

    code: str
    param: str | None = None
    why: str | None = None


def objection(fields: dict[str, Any]) -> Objection | None:
    """Why a request's JSON object may not use a shared OpenAI key; None when it may."""
    if type(fields) is Doubled:
        return Objection(DUPLICATE_KEYS)
    for name, value in fields.items():
        lower = name.lower()
        if lower == "background" and value not in (None, False):
            return _refers(name)
        if lower == "conversation" and value is not None:
            return _refers(name)
        if found := member_objection(name, value):
            return found
    return None


def member_objection(name: str, value: Any) -> Objection | None:
    """Why a request with this member, wherever it stands, may not use a shared OpenAI key; None when it may.

    value: the member's, or some items of the list that it is. A name like ``user_id`` with an object as value is a
    property in a JSON schema.
    """
    kind, lower = type(value), name.lower()
    if kind is str:
        return _refers(name) if value and (lower == "container" or _is_reference(lower)) else None
    if kind is list and _is_reference(lower) and any(type(item) is str for item in value):
        return _refers(name)
    if lower in STORED and kind is dict and type(_in_lower(value).get("id")) is str:
        return _refers(lower)._replace(param=f"{name}.id")
    if kind not in NESTED:
        return None
    if is_free_form(name, is_object=kind is not list):
        return Objection(DUPLICATE_KEYS, name) if has_double(value) else None
    return _below(name, _inside(value, name))


def form_objection(name: str, *, is_file: bool) -> Objection | None:
    """Why a form with a field of this name may not use a shared OpenAI key; None when it may."""
    parts = [part for part in re.split(r"[\[\].]", name) if part]
    if parts and parts[0] in FREE_FORM:
        return None
    name, parts = name.lower(), [part.lower() for part in parts]
    if any(_is_reference(part) or part in ("container", "conversation", "background") for part in parts):
        return Objection(NEEDS_OWN_KEY, name)
    if not is_file and FILES.fullmatch(name):  # a text where a file belongs can only name one
        return Objection(NEEDS_OWN_KEY, name)
    return None


def is_free_form(name: str, *, is_object: bool) -> bool:
    """Whether a member's names and values are the client's own, so that no reference is looked for in it."""
    return is_object and name in FREE_FORM


def is_variable(parent: str, value: Any) -> bool:
    """Whether a member of the object `parent` is a text under a name that the client chose."""
    return parent == VARIABLES and type(value) is str


def _is_reference(name: str) -> bool:
    """Whether a name, in lower case, is that of a reference."""
    return name.endswith(("_id", "_ids")) and name not in HARMLESS


def _refers(name: str, item: str = "") -> Objection:
    """The objection to a member, or to the id of an item of the type `item`, with what the client can do instead."""
    return Objection(NEEDS_OWN_KEY, name, INSTEAD.get(item or name.lower()))


def _inside(value: list[Any] | dict[str, Any], of: str = "") -> Objection | None:
    """An objection to something inside a list or object, the value of member `of`; its param is the path from there."""
    if type(value) is list:
        return _in_list(value)
    if type(value) is Doubled:
        return Objection(DUPLICATE_KEYS)
    if value.keys() <= TEXTS and {*map(type, value.values())} == {str}:  # as nearly every message
        return None
    lower = _in_lower(value)
    if of != VARIABLES and _is_bare(lower):
        kind = lower.get("type")
        return _refers("id", kind.lower() if type(kind) is str else "id")
    for name, item in value.items():
        if not is_variable(of, item) and (found := member_objection(name, item)):
            return found
    return None


def _in_list(value: list[Any]) -> Objection | None:
    for at, item in enumerate(value):
        if type(item) in NESTED and (found := _inside(item)):
            return _below(f"[{at}]", found)
    return None


def _in_lower(value: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): item for name, item in value.items()}


def _is_bare(item: dict[str, Any]) -> bool:
    """Whether an object, its names in lower case, has an id, but not the content that OpenAI would look up by it."""
    if type(item.get("id")) is not str:
        return False
    kind = item.get("type")
    kind = kind.lower() if type(kind) is str else kind
    if kind is None or (type(kind) is str and kind in CONTENT):
        return not (CONTENT[kind] and item.get(CONTENT[kind]))
    return all(value in (None, "", []) for name, value in item.items() if name not in BESIDE)


def _below(place: str, found: Objection | None) -> Objection | None:
    """The objection with one more step at the front of its path."""
    if found is None or found.param is None:
        return found and found._replace(param=place)
    return found._replace(param=place + ("" if found.param.startswith("[") else ".") + found.param)
