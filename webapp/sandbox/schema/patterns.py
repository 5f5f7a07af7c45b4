"""Strings that match a regular expression, made from its parsed form.

The expression itself is never run: one of a hostile request could take forever. Python's parser reads it, which knows
nearly all that JavaScript's expressions in JSON schemas use.
"""

from __future__ import annotations

import re
import re._parser as parser  # not public, but there since Python 3.11; nothing public tells the parts of an expression
from functools import lru_cache
from typing import Any

from webapp.sandbox.schema.terms import MAX_TEXT, BadSchema, TooLarge

MAX_PATTERN = 2000  # characters of an expression
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
ALPHABET = _LETTERS + _LETTERS.upper() + "0123456789 _-.,:;/+@#%&=!?'\"()[]{}<>|~^$*\\`\t\n"
_CATEGORIES = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda char: not char.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda char: not char.isspace(),
    "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
    "CATEGORY_NOT_WORD": lambda char: not (char.isalnum() or char == "_"),
}


def from_pattern(pattern: str, extra: int, nth: int) -> str:
    """A string that matches as a whole. Parts with `*`, `+` or `{}` come `extra` times more often than they must.

    A higher `nth` takes other characters and alternatives. Raises BadSchema for what cannot be filled, as lookarounds.
    """
    parts = _parsed(pattern)
    try:
        return _Writer(extra, nth).write(parts)
    except RecursionError:
        raise TooLarge(f"the pattern {pattern[:80]!r} is nested too deeply") from None


@lru_cache(maxsize=64)
def _parsed(pattern: str) -> Any:
    try:
        if len(pattern) <= MAX_PATTERN:
            return parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        pass
    raise BadSchema(f"the sandbox cannot fill the pattern {pattern[:80]!r}")


class _Writer:
    """Writes the parts of one parsed expression."""

    def __init__(self, extra: int, nth: int) -> None:
        self.extra, self.nth = extra, nth
        self.groups: dict[int, str] = {}

    def write(self, parts: Any) -> str:
        made = ""
        for operation, told in parts:
            made += self._part(str(operation), told)
            if len(made) > MAX_TEXT:
                raise TooLarge(f"the sandbox fills strings of up to {MAX_TEXT} characters")
        return made

    def _part(self, operation: str, told: Any) -> str:
        match operation:
            case "LITERAL":
                made = chr(told)
            case "ANY":
                made = ALPHABET[self.nth % 26]
            case "NOT_LITERAL":
                made = self._one_of([("NEGATE", None), ("LITERAL", told)])
            case "IN":
                made = self._one_of([(str(kind), value) for kind, value in told])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                made = self._repeat(*told)
            case "SUBPATTERN":
                made = self.groups[told[0]] = self.write(told[3])
            case "ATOMIC_GROUP":
                made = self.write(told)
            case "BRANCH":
                made = self.write(told[1][self.nth % len(told[1])])
            case "GROUPREF":
                made = self.groups.get(told, "")
            case "AT":
                made = ""
            case _:
                raise BadSchema(f"the sandbox cannot fill a pattern with {operation.lower()}")
        return made

    def _repeat(self, least: int, most: int, parts: Any) -> str:
        times, made = min(int(most), least + self.extra), self.write(parts)
        if times * len(made) > MAX_TEXT:
            raise TooLarge(f"the sandbox fills strings of up to {MAX_TEXT} characters")
        return made * times

    def _one_of(self, members: list[tuple[str, Any]]) -> str:
        negated = members[0][0] == "NEGATE"
        fitting = [char for char in ALPHABET if any(_fits(char, member) for member in members) != negated]
        if fitting:
            return fitting[self.nth % len(fitting)]
        first = next((value for kind, value in members if kind in ("LITERAL", "RANGE")), None)
        if negated or first is None:
            raise BadSchema("the sandbox cannot fill a pattern with such a set of characters")
        return chr(first[0] if isinstance(first, tuple) else first)


def _fits(char: str, member: tuple[str, Any]) -> bool:
    kind, value = member
    if kind == "LITERAL":
        return ord(char) == value
    if kind == "RANGE":
        return value[0] <= ord(char) <= value[1]
    return kind == "CATEGORY" and _CATEGORIES[str(value)](char)
