"""Decodes as many values of a JSON object or list as end in a piece of text, in C (see large.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from webapp.metering.jsonwalk import decoder

SINGLES = 256  # values decoded one by one, at most
TRIES = 4  # places tried for each kind of end

EXACT = decoder(strict=True)
QUICK = decoder(strict=True, numbers=False)  # for what is only searched for names and texts
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")


class Run(NamedTuple):
    """Decoded `values` of an object (a dict) or list, and the place behind the last one in the text.

    `wasted`: characters that were decoded in vain.
    """

    values: Any
    end: int
    wasted: int


def decoded(text: str, at: int, brackets: str, *, exact: bool) -> Run:
    """The values from `at` on, decoded together; none where no end of a value is found in the text."""
    decode, wasted = (EXACT if exact else QUICK).decode, 0
    for end in _ends(text, at):
        try:
            values = decode(brackets[0] + text[at:end] + brackets[1])
        except ValueError:
            wasted += end - at
            continue
        if values:
            return Run(values, end, wasted)
    return Run(None, at, wasted)


def one_by_one(text: str, at: int) -> Run:
    """The values of a list from `at` on, as far as the value after each begins in the text, too."""
    values: list[Any] = []
    end, wasted = at, 0
    while len(values) < SINGLES:
        try:
            value, behind = QUICK.raw_decode(text, at)
        except ValueError:
            wasted = len(text) - at
            break
        comma = _COMMA.match(text, behind)
        if not comma or comma.end() == len(text):
            break
        values.append(value)
        end, at = behind, comma.end()
    return Run(values, end, wasted)


def _ends(text: str, at: int) -> Iterator[int]:
    """Places where a value may end: commas near the end of the text, with as many brackets closed as opened before."""
    for mark in (",", "},", "],", '",'):
        end = len(text)
        for _ in range(TRIES):
            end = text.rfind(mark, at, end)
            if end < 0:
                break
            place = end + len(mark) - 1
            if all(
                text.count(opening, at, place) == text.count(closing, at, place) for opening, closing in ("[]", "{}")
            ):
                yield place
