"""JSON read two ways that json.loads does not offer, both on the decoder of the standard library, in C.

- ``parse`` (answers), ``decode`` (requests): numbers stay as they were written (`Number`), so counts are exact at any
  length, and an object with the same key twice is marked (`Doubled`). ``parse`` takes 1.1 times as long as json.loads
  on a chat answer.
- ``document``, ``members``: the place of every member, so that one value of a request can be changed while all
  other bytes stay as the client sent them. Takes 0.9 times as long as json.loads and json.dumps, which rewrite all.

Documents of more than 64 KiB are not decoded as a whole: see scan.py.

`.venv/bin/python bench/metering.py` repeats the figures.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")


class Number(str):
    """A JSON number as it was written, of any length; a type of its own, to distinguish it from a JSON string."""

    __slots__ = ()


class Doubled(dict[str, Any]):
    """A JSON object that has a key twice. The last one counts here and in most parsers, but not in all of them.

    `made`: how many there have been, so that one comparison tells whether a document had any.
    """

    made = 0


NESTED = (dict, list, Doubled)  # types of decoded objects and lists


def has_double(value: list[Any] | dict[str, Any]) -> bool:
    """Whether an object has the same key twice: the decoded value itself, or one anywhere in it."""
    items = value if type(value) is list else value.values()
    return type(value) is Doubled or any(has_double(item) for item in items if type(item) in NESTED)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    Doubled.made += 1
    return Doubled(found)


_NUMBERS: dict[str, Any] = {"parse_float": Number, "parse_int": Number, "parse_constant": Number}


def decoder(*, strict: bool, numbers: bool = True) -> json.JSONDecoder:
    """A decoder to `Number` (unless `numbers` is off) and `Doubled`; `strict`: no control characters in strings."""
    return json.JSONDecoder(**_NUMBERS if numbers else {}, object_pairs_hook=_object, strict=strict)


_DECODER = decoder(strict=True)
_LENIENT = decoder(strict=False)


class Member(NamedTuple):
    """One `"key": value` of an object; `text[start:end]` is the value as written. Numbers in `value` are `Number`s."""

    key: str
    value: Any
    start: int
    end: int


def members(text: str, at: int = 0) -> tuple[list[Member], int]:
    """The members of the object that begins at `at`, in order and with duplicates, and the place after its brace.

    Raises ValueError where the text is not a JSON object, RecursionError where it nests too deeply.
    """
    found: list[Member] = []
    at = _expect(text, at, "{")
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        key, at = scanstring(text, _expect(text, at, '"', skip=False))
        start = _expect(text, _skip(text, at), ":")
        value, end = _DECODER.raw_decode(text, start)
        found.append(Member(key, value, start, end))
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            return found, at + 1
        at = _expect(text, at, ",")


def document(text: str) -> list[Member]:
    """The members of the JSON object that makes up the whole text; ValueError for anything else."""
    found, end = members(text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise ValueError("text after the JSON object")
    return found


def decode(text: str) -> dict[str, Any]:
    """The JSON object that makes up the whole text; ValueError or RecursionError as with `document`."""
    value = _DECODER.decode(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _expect(text: str, at: int, char: str, *, skip: bool = True) -> int:
    """The place after `char`, which must stand at `at`, and after the white space that follows."""
    if text[at : at + 1] != char:
        raise ValueError(f"expected {char!r} at {at}")
    return _skip(text, at + 1) if skip else at + 1


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty string too


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`, numbers as `Number`; {} for anything else. Bytes that are not UTF-8 are replaced."""
    try:
        value = _LENIENT.decode(data.decode(errors="replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else {}."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON list; [] for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
