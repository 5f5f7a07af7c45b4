"""Strings that are valid for a JSON schema: by its format, its pattern, or its length alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webapp.sandbox.schema.patterns import from_pattern
from webapp.sandbox.schema.terms import MAX_TEXT, BadSchema, DeadEnd, TooLarge, count

_EXTRA = (1, 0, *range(2, 17), 32, 64, 128, 256, 512, 1024)  # how often a repeated part of a pattern is repeated
FORMATS: dict[str, Callable[[int], str]] = {
    "date-time": lambda n: f"2026-01-01T{n // 60 % 24:02}:{n % 60:02}:00Z",
    "date": lambda n: f"20{26 + n // 336 % 70}-{1 + n // 28 % 12:02}-{1 + n % 28:02}",
    "time": lambda n: f"{9 + n // 60 % 12:02}:{n % 60:02}:00Z",
    "duration": lambda n: f"PT{n + 1}H",
    "email": lambda n: f"sandbox{n or ''}@example.com",
    "idn-email": lambda n: f"sandbox{n or ''}@example.com",
    "hostname": lambda n: f"sandbox{n or ''}.example.com",
    "idn-hostname": lambda n: f"sandbox{n or ''}.example.com",
    "ipv4": lambda n: f"192.0.{n // 254 % 254}.{1 + n % 254}",
    "ipv6": lambda n: f"2001:db8::{n % 65535 + 1:x}",
    "uuid": lambda n: f"00000000-0000-4000-8000-{n + 1:012x}",
    "uuid4": lambda n: f"00000000-0000-4000-8000-{n + 1:012x}",
    "uri": lambda n: f"https://example.com/sandbox{n or ''}",
    "url": lambda n: f"https://example.com/sandbox{n or ''}",
    "iri": lambda n: f"https://example.com/sandbox{n or ''}",
    "uri-reference": lambda n: f"/sandbox{n or ''}",
    "json-pointer": lambda n: f"/sandbox{n or ''}",
    "regex": lambda n: f"sandbox{n or ''}",
    "byte": lambda n: "c2FuZGJveA==",
    "binary": lambda n: f"sandbox{n or ''}",
}


def string_for(schema: dict[str, Any], nth: int) -> str:
    """A string for the schema; a higher `nth` gives another one where the schema allows it."""
    low, high = count(schema, "minLength") or 0, count(schema, "maxLength")
    if low > MAX_TEXT:
        raise TooLarge(f"the sandbox fills strings of up to {MAX_TEXT} characters")
    if high is not None and low > high:
        raise DeadEnd
    pattern, form = schema.get("pattern"), schema.get("format")
    if pattern is not None:
        return _by_pattern(pattern, low, MAX_TEXT if high is None else high, nth)
    if isinstance(form, str) and form in FORMATS:
        made = FORMATS[form](nth)
        if low <= len(made) and (high is None or len(made) <= high):
            return made
    return _by_length(low, high, nth)


def _by_pattern(pattern: Any, low: int, high: int, nth: int) -> str:
    if not isinstance(pattern, str):
        raise BadSchema("'pattern' has to be a string")
    for extra in _EXTRA:
        made = from_pattern(pattern, extra, nth)
        if low <= len(made) <= high:
            return made
    raise DeadEnd


def _by_length(low: int, high: int | None, nth: int) -> str:
    word = f"sandbox {nth + 1}" if nth else "sandbox"
    if high is not None and len(word) > high:
        word = str(nth).zfill(high)[-high:] if nth and high else word[:high]
    return word.ljust(low, ".")
