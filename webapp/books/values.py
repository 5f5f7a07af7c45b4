"""Values of OpenAI's answers, checked and made ready for app.books_store: exact numbers, names, moments.

Each function raises BooksError, whose message names what was wrong and never holds a key.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_NAME = 500
DAY_SECONDS = 86_400
FIRST_MOMENT, LAST_MOMENT = 1_000_000_000, 10_000_000_000  # seconds since 1970 that can be a day with OpenAI's API


class BooksError(Exception):
    """OpenAI's books could not be fetched or read; the message says why, for people."""

    def __init__(self, message: str, *, status: int | None = None, refused: bool = False) -> None:
        """status: of OpenAI's answer, if there was one. refused: the admin key is wrong or lacks a right."""
        super().__init__(message)
        self.status, self.refused = status, refused


def exact(value: Any, what: str) -> str:
    """A number, or text that spells one, as plain decimal text without zeros at its end: "0E-6176" → "0".

    Numbers with a fraction must have been parsed as Decimal. What is too large or too precise for money is refused.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise BooksError(f"{what} is no number")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise BooksError(f"{what} is no number: {str(value)[:40]!r}") from None
    if number.is_finite() and not number:
        return "0"
    if not number.is_finite() or not -1000 < number.adjusted() < 30 or len(number.as_tuple().digits) > 1000:
        raise BooksError(f"{what} is out of range: {str(value)[:40]!r}")
    spelled = f"{number:f}"
    return spelled.rstrip("0").rstrip(".") if "." in spelled else spelled


def name(value: Any, what: str, *, needed: bool = False) -> str | None:
    """Text of at most 500 characters that Postgres can store; None for null."""
    if value is None and not needed:
        return None
    if not isinstance(value, str) or (needed and not value.strip()):
        raise BooksError(f"{what} is no text")
    if len(value) > LONGEST_NAME or "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise BooksError(f"{what} is text that cannot be stored: {value[:40]!r}")
    return value


def seconds(value: Any, what: str) -> int:
    """A moment as whole seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST_MOMENT < value < LAST_MOMENT:
        raise BooksError(f"{what} is no moment: {str(value)[:40]!r}")
    return value


def moment(value: Any, what: str) -> str | None:
    """A moment in seconds since 1970 as ISO text, UTC; None for null."""
    return None if value is None else datetime.fromtimestamp(seconds(value, what), UTC).isoformat()


def day_of(start: int, what: str) -> date:
    """The UTC day that begins at this second; BooksError when none does."""
    if start % DAY_SECONDS:
        raise BooksError(f"{what} does not begin at midnight UTC: {start}")
    return datetime.fromtimestamp(start, UTC).date()


def midnight(day: date) -> int:
    """Seconds since 1970 when a UTC day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
