"""Reads what a request sends: the fields of its JSON body, ids, and how many rows of a list it asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from webapp import filters
from webapp.api.schemas import SHAPES
from webapp.errors import ApiError

PAGE, LARGEST_PAGE = 50, 1000


class Fields:
    """Reads fields of a JSON object by name and type; ApiError 400 names the wrong one."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def text(self, name: str, *, needed: bool = True) -> str | None:
        value = self._value(name, str, "a string", needed)
        if value is not None and ("\0" in value or not _encodes(value)):
            raise ApiError(400, "invalid_value", f"'{name}' contains characters that are not text", name)
        return value

    def flag(self, name: str) -> bool | None:
        return self._value(name, bool, "true or false", False)

    def whole(self, name: str, default: int) -> int:
        value = self._value(name, int, "a whole number", False)
        if value is not None and not -(2**31) <= value < 2**31:
            raise ApiError(400, "invalid_value", f"'{name}' is too large", name)
        return default if value is None else value

    def number(self, name: str) -> str | None:
        """An exact number as text. JSON numbers with a fraction are refused: they may have been rounded to binary."""
        value = self.values.get(name)
        return str(value) if type(value) is int and abs(value) < 2**63 else self.text(name, needed=False)

    def moment(self, name: str) -> datetime | None:
        text = self.text(name, needed=False)
        try:
            moment = datetime.fromisoformat(text) if text is not None else None
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment else None
        except (ValueError, OverflowError):
            raise ApiError(400, "invalid_time", f"'{name}' is a time like 2026-01-31T12:00:00Z", name) from None

    def _value(self, name: str, kind: type, words: str, needed: bool) -> Any:
        value = self.values.get(name)
        if value is None:
            if needed:
                raise ApiError(400, "missing_field", f"'{name}' is needed", name)
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ApiError(400, "invalid_type", f"'{name}' is {words}", name)
        return value


def fields(shape: str, *, optional: bool = False) -> Fields:
    """The request's JSON object. optional: no body at all stands for an empty object.

    shape: key of SHAPES that names the fields. Any other field is refused: a misspelt expires_at would otherwise make a
    key that never expires.
    """
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) == request.max_content_length:
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off at the limit, and says nothing
    if optional and not raw:
        return Fields({})
    if request.mimetype != "application/json":
        raise ApiError(415, "unsupported_media_type", "send JSON with Content-Type: application/json")
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ApiError(400, "invalid_json", "the body is not valid JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise ApiError(400, "invalid_json", "the body is not a JSON object")
    refuse_unknown(value, {name.rstrip("?") for name in SHAPES[shape]}, "field")
    return Fields(value)


def refuse_unknown(names: Iterable[str], known: Set[str], what: str) -> None:
    """ApiError 400 for a name that does not exist here. what: field or parameter."""
    for name in names:
        if name not in known:
            words = f"there is no such {what} here; there are {', '.join(sorted(known)) or 'none'}"
            raise ApiError(400, "unknown_parameter", words, name[:64])


def _encodes(value: str) -> bool:
    """Whether UTF-8 can hold the text: JSON escapes may spell half a surrogate pair."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


def as_id(text: str | None) -> UUID | None:
    """An id from a query string or body; a malformed one is as unknown as any other (404)."""
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise ApiError(404, "not_found", "there is nothing with this id") from None


def limit() -> int:
    """How many rows of a list the request asks for; ApiError 400."""
    found = filters.whole(request.args.get("limit", str(PAGE)), 1, LARGEST_PAGE)
    if found is None:
        raise ApiError(400, "invalid_limit", f"'limit' is a whole number from 1 to {LARGEST_PAGE}", "limit")
    return found
