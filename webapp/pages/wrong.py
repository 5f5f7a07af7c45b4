"""Errors of a page's query string, worded for people who use pages: what does not exist, and where to choose instead.

The API's errors name its parameters. People who read pages know fields, lists and headings, not parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from webapp import cursors
from webapp.errors import ApiError
from webapp.periods import YEARS

LONGEST = 60  # a longer value is cut off where an error repeats it
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
OTHER_DAY = "Choose another day, or another period in the list"


def no_such(param: str, value: str) -> ApiError:
    """The error for a parameter, one of CHOICES, whose value does not exist."""
    what, hint = CHOICES[param]
    return ApiError(400, "no_such_choice", f"there is no {what} {_quoted(value)}", param, hint)


def in_words(error: ApiError, args: Mapping[str, str]) -> ApiError:
    """An error of ``filters.read`` or ``cursors.read`` in words of a page; args: the query string that they read."""
    name = error.param or ""
    value = args.get(name) or ""
    if name in CHOICES:
        return no_such(name, value)
    if name not in ("from", "to"):
        return error
    if error.code == "invalid_date":
        message = f"{_quoted(value)} is not a day from {YEARS[0]} to {YEARS[-1]}"
    elif "T" in args.get("from", "") + args.get("to", ""):  # moments, as a bar of hours links to them
        message = "the period ends before it begins"
    else:
        message = "the first day is after the last one" if args.get("to") else "the first day has not come yet"
    return ApiError(error.status, error.code, message, name, OTHER_DAY)


def read_cursor(*kinds: Callable[[str], Any]) -> tuple[Any, ...]:
    """``cursors.read`` of this request's ``cursor``."""
    try:
        return cursors.read(request.args.get("cursor"), *kinds)
    except ApiError as error:
        raise in_words(error, request.args) from None


def _quoted(value: str) -> str:
    return f"“{value if len(value) <= LONGEST else value[:LONGEST] + '…'}”"
