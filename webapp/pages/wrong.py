"""What is wrong with the address of a page, in words of the page: what there is not, and how to choose something else.

The API's errors name its parameters. Who reads a page knows fields, lists and headings, or followed an old link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from webapp import cursors
from webapp.errors import ApiError
from webapp.periods import YEARS

LONGEST = 60  # characters of a value that are repeated
# Parameter → what it chooses, and how to choose it on the page.
CHOICES = {
    "period": ("period", "Choose one in the list"),
    "tz": ("time zone", "Time zones have names such as Europe/Berlin"),
    "grain": ("length of bars", "Choose hour, day, week or month above the chart"),
    "compare": ("comparison", "Choose the period before, the year before or nothing below the chart"),
    "by": ("breakdown", "Choose one below the chart"),
    "and": ("second breakdown", "Choose one below the chart"),
    "measure": ("measure", "Choose money, tokens or calls above the chart"),
    "sort": ("order", "Click the heading of a column to sort by it"),
    "columns": ("column", "Choose columns in the list above the calls"),
    "page": ("page", "Pages are numbered from 1"),
    "cursor": ("page", "Begin with the first one"),
    "month": ("month", "Choose one in the list of months"),
    "session": ("WebSocket session", "Choose one in the list of sessions"),
    "format": ("kind of file", "Choose one in the menu Export"),
}
ELSE = "Choose another day, or another period in the list"


def no_such(param: str, value: str) -> ApiError:
    """The error of an address whose parameter ``param``, one of CHOICES, asks for what there is not."""
    what, hint = CHOICES[param]
    return ApiError(400, "no_such_choice", f"there is no {what} {_quoted(value)}", param, hint)


def in_words(error: ApiError, args: Mapping[str, str]) -> ApiError:
    """An error of ``filters.read`` or ``cursors.read`` in words of a page; args: what was read."""
    name = error.param or ""
    value = args.get(name) or ""
    if name in CHOICES:
        return no_such(name, value)
    if name not in ("from", "to"):
        return error
    if error.code == "invalid_date":
        message = f"{_quoted(value)} is not a day from {YEARS[0]} to {YEARS[-1]}"
    else:
        message = "the first day is after the last one" if args.get("to") else "the first day has not come yet"
    return ApiError(error.status, error.code, message, name, ELSE)


def read_cursor(*kinds: Callable[[str], Any]) -> tuple[Any, ...]:
    """``cursors.read`` of this request's ``cursor``."""
    try:
        return cursors.read(request.args.get("cursor"), *kinds)
    except ApiError as error:
        raise in_words(error, request.args) from None


def _quoted(value: str) -> str:
    return f"“{value if len(value) <= LONGEST else value[:LONGEST] + '…'}”"
