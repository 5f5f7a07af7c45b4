"""Lets the other calls of a worker run while a large body or answer is read, or many rows are written; and keeps a
report from taking all memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import gevent

from webapp import db
from webapp.errors import ApiError

SECONDS = 0.002  # longest time that one call keeps the worker for itself, plus the step under way
# Not 0: gevent looks for input and output only after 50 callbacks, and what sleeps for 0 seconds becomes a callback.
NAP_SECONDS = 0.0005
MOST_ROWS = 100_000  # of a report, which is in memory as a whole: 120 MB for an answer of the API

T = TypeVar("T")


class Pause:
    """Called between short steps of one call; gives way when SECONDS have passed."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._since >= SECONDS:
            gevent.sleep(NAP_SECONDS)
            self._since = time.monotonic()


def gently(rows: Iterable[T]) -> Iterator[T]:
    """The same rows, with a pause whenever handling them has taken too long."""
    pause = Pause()
    for row in rows:
        yield row
        pause()


def report(tx: db.Transaction, *words: Any) -> Iterator[dict[str, Any]]:
    """Rows of app.usage_with_total for these words, gently; may be read after the transaction has ended.

    Raises ApiError (400) when the groups are more than MOST_ROWS: a part of them would be taken for all.
    """
    return _bounded(tx.each("usage_with_total", *words, most=MOST_ROWS + 2))  # the total, and one too many


def _bounded(rows: Iterable[T]) -> Iterator[T]:
    for number, row in enumerate(gently(rows)):
        if number > MOST_ROWS:
            raise ApiError(400, "too_many_rows", f"The answer would have more than {MOST_ROWS:,} rows",
                           hint="Ask for a shorter period, fewer groups or more filters")  # fmt: skip
        yield row
