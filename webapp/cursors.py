"""Cursors: where the next page of a list begins, as one opaque word for query strings of pages and API.

A cursor holds the sort values of the last row shown, and its id where the values alone do not tell rows apart. SQL
functions take them as arguments (``p_before_at``, ``p_after_id``, …) and go on behind that row.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from webapp import filters
from webapp.errors import ApiError


def write(*position: datetime | Decimal | int | UUID | None) -> str:
    """The cursor for the page that begins behind the row with these sort values (and id)."""
    return urlsafe_b64encode("~".join(_written(value) for value in position).encode()).decode().rstrip("=")


def read(text: str | None, *kinds: Callable[[str], Any]) -> tuple[Any, ...]:
    """The values in a cursor; without a cursor, as many times None. Raises ApiError 400.

    kinds: a function for each value, which reads it from text: ``moment``, ``amount``, ``whole`` or UUID.
    """
    if not text:
        return (None,) * len(kinds)
    try:
        words = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode("ascii").split("~")
        return tuple(kind(word) for kind, word in zip(kinds, words, strict=True))
    except (ValueError, OverflowError):
        raise ApiError(400, "invalid_cursor", "'cursor' is the next_cursor of the page before", "cursor") from None


def moment(text: str) -> datetime:
    """A kind for ``read``: a moment in UTC. Raises ValueError or OverflowError, as every kind may."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("without a time zone")
    return found.astimezone(UTC)


def amount(text: str) -> Decimal | None:
    """A kind for ``read``: a number without exponent; None for a row without a value."""
    if not re.fullmatch(r"(-?\d{1,30}(\.\d{1,30})?)?", text, re.ASCII):
        raise ValueError("not a number in plain notation")
    return Decimal(text) if text else None


def whole(text: str) -> int:
    """A kind for ``read``: a whole number from 0 to the largest bigint of Postgres."""
    found = filters.whole(text, 0, 2**63 - 1)
    if found is None:
        raise ValueError("not a whole number")
    return found


def _written(value: datetime | Decimal | int | UUID | None) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
