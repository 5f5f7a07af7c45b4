"""Text of clients and of OpenAI as a row stores it: bounded, without characters that Postgres cannot store."""

from __future__ import annotations

import re
from typing import Any

MAX_ID_CHARS = 200  # of an id of OpenAI's
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any, limit: int) -> str | None:
    """The first `limit` characters without NUL and lone surrogates; None for anything but a string with text in it."""
    if type(value) is not str:  # a JSON number (jsonwalk.Number) is not one
        return None
    return _UNSTORABLE.sub("", value)[:limit].strip() or None
