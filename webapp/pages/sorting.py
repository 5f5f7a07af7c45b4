"""Sorting of tables by a query string parameter, and the links in their headings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from webapp.pages.wrong import no_such

Row = dict[str, Any]


@dataclass(frozen=True)
class Sorting:
    """The column by which a table is sorted: ``?sort=calls``, or ``?sort=-calls`` for the reverse order.

    columns: name → whether the biggest value comes first; rows come from SQL sorted by the first column.
    """

    columns: dict[str, bool]
    word: str
    link: Callable[[str | None], str]  # sort parameter, or None → address of the page

    @property
    def column(self) -> str:
        return self.word.removeprefix("-")

    @property
    def falling(self) -> bool:
        return self.columns[self.column] != self.word.startswith("-")

    def href(self, column: str) -> str:
        """Address of the page sorted by a column, or in reverse where it is sorted by that already."""
        word = f"-{column}" if self.word == column else column
        return self.link(None if word == next(iter(self.columns)) else word)

    def sorted(self, rows: list[Row]) -> list[Row]:
        """Rows in this order; rows without a value come last."""
        if self.word == next(iter(self.columns)):
            return rows
        known = [row for row in rows if row[self.column] is not None]
        known.sort(key=lambda row: _folded(row[self.column]), reverse=self.falling)
        return known + [row for row in rows if row[self.column] is None]


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def read_sorting(columns: dict[str, bool], link: Callable[[str | None], str] | None = None) -> Sorting:
    """The Sorting that the request asks for; ApiError 400. link: None for pages without other parameters."""
    word = request.args.get("sort") or next(iter(columns))
    if word.removeprefix("-") not in columns:
        raise no_such("sort", word)
    return Sorting(columns, word, link or (lambda word: f"?{urlencode({'sort': word})}" if word else request.path))
