"""Request fields that name objects which OpenAI stores, so that one organization could reach another's.

Every request is searched before its call is opened: with such a field it may not use an OpenAI key that several
organizations share. Every name that ends in ``_id`` counts, except the names in HARMLESS: a field that OpenAI adds
later is refused on a shared key until somebody adds it there. Names are compared in lower case, because some parsers
take File_ID for file_id.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from webapp.metering.jsonwalk import Doubled

NEEDS_OWN_KEY, DUPLICATE_KEYS, UNREADABLE = "needs_own_openai_key", "duplicate_keys", "unreadable_body"
# Names of a part of the same request, or of one of OpenAI's own connectors; never of a stored object.
HARMLESS = frozenset(("call_id", "tool_call_id", "caller_id", "approval_request_id", "connector_id"))
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
NESTED = (dict, list, Doubled)
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
            return Objection(NEEDS_OWN_KEY, name)
        if lower == "conversation" and value is not None:
            return Objection(NEEDS_OWN_KEY, name)
        found = _member(name, value)
        if found and not (name == "metadata" and found.code == NEEDS_OWN_KEY):  # the client chooses the names in there
            return found
    return None


def form_objection(name: str, *, is_file: bool) -> Objection | None:
    """The same for one field of a form, of which only the name is looked at."""
    name = name.lower()
    parts = [part for part in re.split(r"[\[\].]", name) if part]
    if any(_is_reference(part) or part in ("container", "conversation", "background") for part in parts):
        return Objection(NEEDS_OWN_KEY, name)
    if not is_file and FILES.fullmatch(name):  # a text where a file belongs can only name one
        return Objection(NEEDS_OWN_KEY, name)
    return None


def judge(name: str, value: Any) -> Objection | None:
    """The same for one member anywhere below the request's own members, or for a list that is part of it."""
    return _member(name, value)


def _is_reference(name: str) -> bool:
    """Whether a name, in lower case, is that of a reference."""
    return name.endswith(("_id", "_ids")) and name not in HARMLESS


def _member(name: str, value: Any) -> Objection | None:
    """An objection to a member. A name like ``user_id`` with an object as value is a property in a JSON schema."""
    kind, lower = type(value), name.lower()
    if kind is str:
        refers = value and (lower == "container" or _is_reference(lower))
        return Objection(NEEDS_OWN_KEY, name) if refers else None
    if kind is list and _is_reference(lower) and any(type(item) is str for item in value):
        return Objection(NEEDS_OWN_KEY, name)
    if lower in STORED and kind is dict and type(_in_lower(value).get("id")) is str:
        return Objection(NEEDS_OWN_KEY, f"{name}.id")
    return _below(name, _inside(value)) if kind in NESTED else None


def _inside(value: list[Any] | dict[str, Any]) -> Objection | None:
    """An objection to something inside a list or object; its param is the path from there."""
    if type(value) is list:
        inner = ((f"[{at}]", _inside(item)) for at, item in enumerate(value) if type(item) in NESTED)
        return next((_below(place, found) for place, found in inner if found), None)
    if type(value) is Doubled:
        return Objection(DUPLICATE_KEYS)
    if _is_bare(_in_lower(value)):
        return Objection(NEEDS_OWN_KEY, "id")
    for name, item in value.items():
        if found := _member(name, item):
            return found
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
        return found and Objection(found.code, place)
    return Objection(found.code, place + ("" if found.param.startswith("[") else ".") + found.param)
