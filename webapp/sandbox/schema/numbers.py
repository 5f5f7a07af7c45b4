"""Numbers that are valid for a JSON schema."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

from webapp.sandbox.schema.terms import BadSchema, DeadEnd, number


class RangeEnd(NamedTuple):
    """One end of a range; `excluded`: the end itself is not part of it."""

    value: Fraction
    excluded: bool


def number_for(schema: dict[str, Any], nth: int, *, whole: bool) -> int | float:
    """The number nearest to 1, or the `nth` one after it; a whole one where that is possible. Raises DeadEnd."""
    low, high = _bound(schema, "minimum", "exclusiveMinimum", max), _bound(schema, "maximum", "exclusiveMaximum", min)
    multiple = number(schema, "multipleOf")
    if multiple is not None and multiple <= 0:
        raise BadSchema("'multipleOf' has to be a number above 0")
    if multiple is not None:
        return _json(_on_grid(low, high, Fraction(multiple.numerator) if whole else multiple, nth))
    try:
        return _json(_on_grid(low, high, Fraction(1), nth))
    except DeadEnd:
        if whole or low is None or high is None:
            raise
        return _json(_between(low, high, nth))


def _bound(schema: dict[str, Any], word: str, exclusive: str, tighter: Any) -> RangeEnd | None:
    inclusive, excluded = number(schema, word), number(schema, exclusive)
    bounds = [RangeEnd(inclusive, schema.get(exclusive) is True)] if inclusive is not None else []
    if excluded is not None:
        bounds.append(RangeEnd(excluded, True))
    values = [bound.value for bound in bounds]
    tightest = tighter(values) if values else None
    return next((RangeEnd(tightest, any(b.excluded for b in bounds if b.value == tightest)) for _ in values), None)


def _on_grid(low: RangeEnd | None, high: RangeEnd | None, step: Fraction, nth: int) -> Fraction:
    """A multiple of `step` in the range: the nearest to 1 at first, and others for a higher `nth`."""
    first = None if low is None else math.ceil(low.value / step)
    last = None if high is None else math.floor(high.value / step)
    if low is not None and first is not None and low.excluded and first * step == low.value:
        first += 1
    if high is not None and last is not None and high.excluded and last * step == high.value:
        last -= 1
    if first is not None and last is not None and first > last:
        raise DeadEnd
    start = 1 if first is None else max(1, first)
    if last is None:
        return (start + nth) * step
    start = min(start, last)
    return (start - nth if first is None else first + (start - first + nth) % (last - first + 1)) * step


def _between(low: RangeEnd, high: RangeEnd, nth: int) -> Fraction:
    if low.value == high.value and not (low.excluded or high.excluded):
        return low.value
    if low.value >= high.value:
        raise DeadEnd
    return low.value + (high.value - low.value) * Fraction(1, nth + 2)


def _json(value: Fraction) -> int | float:
    if value.denominator == 1:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        raise DeadEnd from None
