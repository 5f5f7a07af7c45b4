"""What the modules about JSON schemas share: their exceptions, the kinds of values, and readers of keywords."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

KINDS = ("object", "array", "string", "number", "integer", "boolean", "null")
MAX_TEXT = 10_000  # characters of one string
_HINTS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class BadSchema(Exception):
    """The schema is not valid, or uses what the sandbox cannot fill."""


class TooLarge(BadSchema):
    """Values of the schema are too large, or take too many steps to find."""


class DeadEnd(Exception):
    """No value is possible at this place of the schema; another branch may have one."""


def kinds(schema: dict[str, Any]) -> list[str]:
    """The kinds of values the schema allows, null last; guessed from its keywords where it has no `type`."""
    named = schema.get("type")
    if named is None:
        found = next((kind for kind, words in _HINTS.items() if any(word in schema for word in words)), "string")
        return [found]
    listed = list(named) if isinstance(named, list) else [named]
    for kind in listed:
        if kind not in KINDS:
            raise BadSchema(f"{str(kind)[:80]!r} is not valid under any of the given schemas")
    if schema.get("nullable") is True and "null" not in listed:  # OpenAPI's word
        listed.append("null")
    return sorted(listed, key=lambda kind: kind == "null")


def is_a(value: Any, kind: str) -> bool:
    """Whether a value is of a kind; 1.0 is an integer too, and true is no number."""
    match kind:
        case "integer" | "number":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and (kind == "number" or value == int(value))
        case "null":
            return value is None
        case _:
            types = {"object": dict, "array": list, "string": str, "boolean": bool}
            return isinstance(value, types[kind])


def count(schema: dict[str, Any], word: str) -> int | None:
    """A keyword that counts, as `minItems`; None where it is absent."""
    value = schema.get(word)
    if value is None:
        return None
    if not is_a(value, "integer") or value < 0:
        raise BadSchema(f"'{word}' has to be an integer that is not negative")
    return int(value)


def number(schema: dict[str, Any], word: str) -> Fraction | None:
    """A keyword that is a number, as `minimum`, exactly; None where it is absent or a truth value."""
    value = schema.get(word)
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise BadSchema(f"'{word}' has to be a number")
    return Fraction(str(value))


def inner(schema: dict[str, Any], word: str) -> dict[str, Any]:
    """A keyword that is an object, as `properties`; {} where it is absent."""
    value = schema.get(word, {})
    if not isinstance(value, dict):
        raise BadSchema(f"'{word}' has to be an object")
    return value


def listed(schema: dict[str, Any], word: str, *, least: int = 0) -> list[Any]:
    """A keyword that is a list of at least `least` members, as `anyOf`; [] where it is absent."""
    value = schema.get(word, [])
    if not isinstance(value, list) or (word in schema and len(value) < least):
        raise BadSchema(f"'{word}' has to be an array" + (" that is not empty" if least else ""))
    return value


def names(schema: dict[str, Any]) -> list[str]:
    """The members of `required`."""
    value = listed(schema, "required")
    if not all(isinstance(name, str) for name in value):
        raise BadSchema("'required' has to be an array of strings")
    return value
