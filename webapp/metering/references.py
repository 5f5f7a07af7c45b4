"""References to what outlives a call: the request fields by which one organization could reach another's objects.

Asked of every request, because it must be known before the call is opened whether the OpenAI key behind it may serve
it. Every name that ends in ``_id`` counts, but for those that name a part of the request itself: what OpenAI adds
tomorrow is refused on a shared key until somebody has looked at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from webapp.metering.jsonwalk import Doubled

NEEDS_OWN_KEY, DUPLICATE_KEYS, UNREADABLE = "needs_own_openai_key", "duplicate_keys", "unreadable_body"
# They name a part of the same request, or one of OpenAI's own connectors, never a stored object.
HARMLESS = frozenset(("call_id", "tool_call_id", "caller_id", "approval_request_id", "connector_id"))
# What comes back from an earlier answer: with its content it is self-contained, without it OpenAI looks the id up.
CONTENT = {
    None: "content",
    "message": "content",
    "reasoning": "encrypted_content",
    "compaction": "encrypted_content",
    "image_generation_call": "result",
    "item_reference": "nothing: it is nothing but an id",
}
FILES = re.compile(r"(file|image|mask|input_reference)(\W.*)?")  # form fields that hold files


class Objection(NamedTuple):
    """Why a request may not use an OpenAI key that serves several organizations: a code, and the field."""

    code: str
    param: str | None = None


def objection(fields: Iterable[tuple[str, Any]]) -> Objection | None:
    """What speaks against the JSON object with these members, duplicates included; None for nothing."""
    members = list(fields)
    if len({name for name, _ in members}) < len(members):
        return Objection(DUPLICATE_KEYS)
    for name, value in members:
        if name == "background" and value not in (None, False):
            return Objection(NEEDS_OWN_KEY, name)
        if name == "conversation" and value is not None:
            return Objection(NEEDS_OWN_KEY, name)
        if name == "metadata" and isinstance(value, dict) and type(value) is not Doubled:
            continue  # the client's own words
        for found in _named(name, value, name):
            return found
    return None


def form_objection(name: str, *, is_file: bool) -> Objection | None:
    """The same of one field of a form, of which only the name is looked at."""
    parts = [part for part in re.split(r"[\[\].]", name) if part]
    if any(_is_reference(part) or part in ("container", "conversation", "background") for part in parts):
        return Objection(NEEDS_OWN_KEY, name)
    if not is_file and FILES.fullmatch(name):  # a text where a file belongs can only name one
        return Objection(NEEDS_OWN_KEY, name)
    return None


def _is_reference(name: str) -> bool:
    return name.endswith(("_id", "_ids")) and name not in HARMLESS


def _named(name: str, value: Any, path: str) -> Iterator[Objection]:
    """Objections to a member; a name with an object behind it is a JSON schema's and no reference."""
    if type(value) is str:
        if value and (_is_reference(name) or name == "container"):
            yield Objection(NEEDS_OWN_KEY, path)
    elif isinstance(value, list):
        if _is_reference(name) and any(type(item) is str for item in value):
            yield Objection(NEEDS_OWN_KEY, path)
        for at, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _named("", item, f"{path}[{at}]")
    elif isinstance(value, dict):
        yield from _object(value, path)


def _object(value: dict[str, Any], path: str) -> Iterator[Objection]:
    if type(value) is Doubled:
        yield Objection(DUPLICATE_KEYS, path)
    kind = value.get("type")
    known = kind is None or (isinstance(kind, str) and kind in CONTENT)
    if known and type(value.get("id")) is str and not value.get(CONTENT[kind]):
        yield Objection(NEEDS_OWN_KEY, f"{path}.id")
    for name, inner in value.items():
        yield from _named(name, inner, f"{path}.{name}")
