"""Usage objects as they may be stored in a row: numbers and short words only, bounded, never content."""

from __future__ import annotations

import re
from decimal import Context, Decimal
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
_COUNTS = re.compile(r"\w*(tokens|seconds|type|details|usage)")
# Added to a usage object of which such a member had to be dropped. SQL has no price for it: the cost is unknown.
DROPPED = "dropped_details"
_EXACT = Context(prec=200)  # enough digits to add two numbers of MAX_STRING_CHARS
_MAX_SIZE = Decimal(10**18)


class Unusable(ValueError):
    """A count in the usage is not a finite number, or too long."""


def sanitise(usage: Any) -> dict[str, Any] | None:
    """The usage object as it may be stored; None when it is no object, is too large, or has no number or a bad one.

    A bad number is not finite, or longer than MAX_STRING_CHARS. Numbers keep their exact value: integers as int, all
    others as the string OpenAI wrote. DROPPED counts the members that could decide the price and are missing here.
    """
    if not isinstance(usage, dict):
        return None
    dropped: list[str] = []
    try:
        kept = _object(usage, MAX_DEPTH, dropped)
        if not _fits(kept):
            dropped += [key for key, value in kept.items() if not _COUNTS.fullmatch(key) and _may_cost(key, value)]
            kept = {key: value for key, value in kept.items() if _COUNTS.fullmatch(key)}
            if not _fits(kept):
                return None
    except (Unusable, RecursionError):
        return None
    if not has_number(kept):
        return None
    return {**kept, DROPPED: len(dropped)} if dropped else kept


def _fits(kept: dict[str, Any]) -> bool:
    return len(repr(kept)) <= MAX_CHARS  # JSON would be about as long, but takes longer to make


def has_number(value: Any) -> bool:
    """Whether there is any number in a sanitised value, also one written as a string."""
    if isinstance(value, dict):
        return any(has_number(inner) for inner in value.values())
    return _is_number(value)


def add(left: Any, right: Any) -> Any:
    """Two sanitised usage objects as one: numbers are added; other values are `right`'s, or else `left`'s."""
    if isinstance(left, dict) and isinstance(right, dict):
        return {key: add(left.get(key), right.get(key)) for key in left | right}
    if _is_count(left) and _is_count(right):
        return left + right
    if _is_number(left) and _is_number(right):
        return str(_EXACT.add(Decimal(left), Decimal(right)))
    return left if right is None else right


def fuller(before: Any, later: dict[str, Any]) -> dict[str, Any]:
    """Of two usage objects that one answer reported, the one that counts: the later, unless its total is smaller.

    With equal totals, members that the later one does not have are taken from the earlier. `before` may be None.
    """
    if not isinstance(before, dict):
        return later
    was, now = _size(before), _size(later)
    if now < was:
        return before
    return {**before, **{key: value for key, value in later.items() if value is not None}} if now == was else later


def _size(usage: dict[str, Any]) -> Decimal:
    """Tokens in and out, by either family of names; else the total of tokens; else seconds; 0 when nothing is said."""
    tokens = max(_plain(usage.get("input_tokens")), _plain(usage.get("prompt_tokens")))
    tokens += max(_plain(usage.get("output_tokens")), _plain(usage.get("completion_tokens")))
    return tokens or _plain(usage.get("total_tokens")) or _plain(usage.get("seconds"))


def _plain(value: Any) -> Decimal:
    """A count as a number from 0 to _MAX_SIZE; 0 for what is none."""
    text = str(value)
    if isinstance(value, bool) or len(text) > MAX_STRING_CHARS or not _NUMERIC.fullmatch(text):
        return Decimal(0)
    try:
        return min(max(Decimal(text), Decimal(0)), _MAX_SIZE)
    except ArithmeticError:  # an exponent that is too large
        return Decimal(0)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_count(value) or (isinstance(value, str) and _NUMERIC.fullmatch(value) is not None)


def _may_cost(key: str, value: Any) -> bool:
    """Whether a member could decide the price: by its name, or because its object has such a member."""
    if isinstance(value, dict):
        return _COUNTS.fullmatch(key) is not None or any(_may_cost(name, inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(_may_cost(key, inner) for inner in value)
    return value not in (None, "") and _COUNTS.fullmatch(key) is not None


def _object(value: dict[str, Any], depth: int, dropped: list[str]) -> dict[str, Any]:
    kept = {}
    for key, inner in value.items():
        name = _key(key) if len(key) <= MAX_STRING_CHARS else ""
        new = _value(inner, depth - 1, dropped) if name else _DROP
        if new is not _DROP:
            kept[name] = new
        elif _may_cost(key, inner):
            dropped.append(key)
    return kept


@lru_cache(maxsize=1024)  # answers have the same few keys
def _key(key: str) -> str:
    return clean(str(key), MAX_STRING_CHARS) or ""


def _value(value: Any, depth: int, dropped: list[str]) -> Any:
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return clean(value, MAX_STRING_CHARS) or "" if len(value) <= MAX_STRING_CHARS else _DROP
    if value is None or isinstance(value, bool | int):
        return value
    if depth <= 0:
        return _DROP
    if isinstance(value, dict):
        return _object(value, depth, dropped)
    items = [_value(item, depth - 1, dropped) for item in value]
    dropped += ["" for kept, item in zip(items, value, strict=True) if kept is _DROP and _may_cost("", item)]
    return [item for item in items if item is not _DROP]


def _number(value: Number) -> int | str:
    """Raises Unusable for a count that cannot be kept: leaving it out would make the call look cheaper than it was."""
    if value.isdecimal() and len(value) <= MAX_STRING_CHARS:  # nearly all of them
        return int(value)
    if len(value) > MAX_STRING_CHARS or not _NUMERIC.fullmatch(value):
        raise Unusable
    return int(value) if value.lstrip("-").isdigit() else str(value)
