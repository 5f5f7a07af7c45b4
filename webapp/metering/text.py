"""Text of clients and of OpenAI as a row stores it: bounded, without characters that Postgres cannot store."""

from __future__ import annotations

import re
from typing import Any

MAX_TAGS = 16
MAX_TAG_CHARS = 64

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any, limit: int) -> str | None:
    """The first `limit` characters without NUL and lone surrogates; None for anything but a string with text in it."""
    if type(value) is not str:  # a JSON number (jsonwalk.Number) is not one
        return None
    return _UNSTORABLE.sub("", value)[:limit].strip() or None


def parse_tags(header: str | None) -> dict[str, str]:
    """`team=search,env=prod` → {"team": "search", "env": "prod"}; parts without a name or a value are left out."""
    tags: dict[str, str] = {}
    for part in _as_utf8(header or "").split(","):
        name, _, value = part.partition("=")
        name, value = clean(name, MAX_TAG_CHARS), clean(value, MAX_TAG_CHARS)
        if name and value and (name in tags or len(tags) < MAX_TAGS):
            tags[name] = value
    return tags


def _as_utf8(header: str) -> str:
    """WSGI decodes header bytes as Latin-1; clients send UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
