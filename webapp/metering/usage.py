"""Usage objects as they may be stored in a row: numbers and short words only, bounded, never content."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from webapp.metering.jsonwalk import Number
from webapp.metering.text import clean

MAX_STRING_CHARS = 64
MAX_DEPTH = 6
MAX_CHARS = 16_384

_DROP = object()
_NUMERIC = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
# Members that a price needs; only they are kept of a usage object that is too large.
_COUNTS = re.compile(r"\w*(tokens|seconds|type|details|tool_usage)")


class Unusable(ValueError):
    """A count in the usage is not a finite number, or too long."""


def sanitise(usage: Any) -> dict[str, Any] | None:
    """The usage object as it may be stored; None when it is no object, is too large, or has no number or a bad one.

    A bad number is not finite, or longer than MAX_STRING_CHARS. Numbers keep their exact value: integers as int, all
    others as the string OpenAI wrote.
    """
    if not isinstance(usage, dict):
        return None
    try:
        kept = _object(usage, MAX_DEPTH)
        if not _fits(kept):
            kept = {key: value for key, value in kept.items() if _COUNTS.fullmatch(key)}
            if not _fits(kept):
                return None
    except (Unusable, RecursionError):
        return None
    return kept if has_number(kept) else None


def _fits(kept: dict[str, Any]) -> bool:
    return len(repr(kept)) <= MAX_CHARS  # JSON would be about as long, but takes longer to make


def has_number(value: Any) -> bool:
    """Whether there is any number in a sanitised value, also one written as a string."""
    if isinstance(value, dict):
        return any(has_number(inner) for inner in value.values())
    return _is_count(value) or (isinstance(value, str) and _NUMERIC.fullmatch(value) is not None)


def add(left: Any, right: Any) -> Any:
    """Two sanitised usage objects as one: integers are added; other values are `right`'s, or else `left`'s."""
    if isinstance(left, dict) and isinstance(right, dict):
        return {key: add(left.get(key), right.get(key)) for key in left | right}
    if _is_count(left) and _is_count(right):
        return left + right
    return left if right is None else right


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(value: dict[str, Any], depth: int) -> dict[str, Any]:
    kept = {}
    for key, inner in value.items():
        if len(key) <= MAX_STRING_CHARS and (name := _key(key)):
            kept[name] = _value(inner, depth - 1)
    return {key: inner for key, inner in kept.items() if inner is not _DROP}


@lru_cache(maxsize=1024)  # answers have the same few keys
def _key(key: str) -> str:
    return clean(str(key), MAX_STRING_CHARS) or ""


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return clean(value, MAX_STRING_CHARS) or "" if len(value) <= MAX_STRING_CHARS else _DROP
    if value is None or isinstance(value, bool | int):
        return value
    if depth <= 0:
        return _DROP
    if isinstance(value, dict):
        return _object(value, depth)
    return [inner for inner in (_value(item, depth - 1) for item in value) if inner is not _DROP]


def _number(value: Number) -> int | str:
    """Raises Unusable for a count that cannot be kept: leaving it out would make the call look cheaper than it was."""
    if value.isdecimal() and len(value) <= MAX_STRING_CHARS:  # nearly all of them
        return int(value)
    if len(value) > MAX_STRING_CHARS or not _NUMERIC.fullmatch(value):
        raise Unusable
    return int(value) if value.lstrip("-").isdigit() else str(value)
