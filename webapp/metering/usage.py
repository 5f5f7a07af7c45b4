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
# How the names of the members begin that are about the tokens in, and about those out.
_SIDES = (("prompt_", "input_"), ("completion_", "output_"))


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
    """Two usage objects that one answer reported, as one. `before` may be None.

    The larger total counts, since counts only grow while an answer is written; of equal totals the later counts, since
    nothing tells which of two contradicting objects is right. Added is what only the other one says of the same tokens:
    a count that is missing or 0, or that is reported alone and larger; and the details of a count that both give alike.
    """
    if not isinstance(before, dict):
        return later
    rich, poor = (before, later) if size(later) < size(before) else (later, before)
    return _completed(rich, poor) if _says_something(poor) else rich


def size(usage: dict[str, Any]) -> Decimal:
    """Tokens in and out, by either family of names; else the total of tokens; else seconds; 0 when nothing is said."""
    return _both_sides(usage) or _plain(usage.get("total_tokens")) or _plain(usage.get("seconds"))


def tokens_out(usage: dict[str, Any]) -> Decimal:
    """Output tokens, by either family of names; 0 when nothing is said."""
    return _side(usage, _SIDES[1])


def _both_sides(usage: dict[str, Any]) -> Decimal:
    return _side(usage, _SIDES[0]) + _side(usage, _SIDES[1])


def _side(usage: dict[str, Any], prefixes: tuple[str, str]) -> Decimal:
    """The tokens of one side, in or out."""
    return max(_plain(usage.get(prefixes[0] + "tokens")), _plain(usage.get(prefixes[1] + "tokens")))


def _completed(rich: dict[str, Any], poor: dict[str, Any]) -> dict[str, Any]:
    """`rich` with what `poor` says of the same tokens."""
    new, taken = rich, False
    if size(poor) == size(rich):
        both = _SIDES[0] + _SIDES[1]
        new = _filled(rich, {name: value for name, value in poor.items() if not name.startswith(both)})
    for side, other in (_SIDES, _SIDES[::-1]):
        ours, theirs = _side(rich, side), _side(poor, side)
        members = {name: value for name, value in poor.items() if name.startswith(side)}
        if theirs in (0, ours) or not ours:
            new = _filled(new, members, zeros=not ours)
        elif theirs > ours and not _side(poor, other):  # it has grown, and was reported alone
            new = {name: value for name, value in new.items() if not name.startswith(side)} | members
        taken = taken or (theirs > ours and new is not rich)
    return _with_right_total(new, rich) if taken else new


def _with_right_total(new: dict[str, Any], rich: dict[str, Any]) -> dict[str, Any]:
    """`new`, which is `rich` with a larger count of one side, with a total that fits.

    A total that was the sum of the smaller counts is left out. Any other total but the sum of the new counts says that
    the larger count is wrong: then `rich` is returned.
    """
    total = _plain(rich.get("total_tokens"))
    if total in (0, _both_sides(new)):
        return new
    return {name: new[name] for name in new if name != "total_tokens"} if total == _both_sides(rich) else rich


def _filled(
    rich: dict[str, Any], poor: dict[str, Any], *, zeros: bool = False, depth: int = MAX_DEPTH
) -> dict[str, Any]:
    """`rich` with the members of `poor` that it lacks. Where `rich` has a 0 and `poor` more, that counts: inside of
    nested objects always, else only with `zeros`.
    """
    new = dict(rich)
    for name, value in poor.items():
        have = rich.get(name)
        if isinstance(have, dict) and isinstance(value, dict):
            new[name] = _filled(have, value, zeros=True, depth=depth - 1) if depth else have
        elif have is None or (zeros and _is_number(have) and not _plain(have) and _plain(value)):
            new[name] = value
    return new


def _says_something(usage: dict[str, Any], depth: int = MAX_DEPTH) -> bool:
    """Whether a number above 0 is in a usage object: some servers send one of zeros before they know."""
    return any(
        _says_something(value, depth - 1) if isinstance(value, dict) and depth else _plain(value) > 0
        for value in usage.values()
    )


def _plain(value: Any) -> Decimal:
    """A count as a number from 0 to _MAX_SIZE; 0 for what is none."""
    text = str(value)
    if len(text) < 19 and text.isascii() and text.isdecimal():  # nearly all counts
        return Decimal(text)
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
        if type(inner) is Number and name and len(inner) <= MAX_STRING_CHARS and inner.isdecimal():  # as nearly all are
            kept[name] = int(inner)
            continue
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
    if len(value) > MAX_STRING_CHARS or not _NUMERIC.fullmatch(value):
        raise Unusable
    return int(value) if value.lstrip("-").isdigit() else str(value)
