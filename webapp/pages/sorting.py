"""Tables sorted by links: which column, which way round, and the links that change that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from webapp.errors import ApiError

Row = dict[str, Any]


@dataclass(frozen=True)
class Sorting:
    """The column a table is sorted by: ``?sort=calls``, or ``?sort=-calls`` for the other way round.

    columns: name → whether it begins with the biggest; the first one is how the rows come.
    """

    columns: dict[str, bool]
    word: str
    link: Callable[[str | None], str]  # the page with another word

    @property
    def column(self) -> str:
        return self.word.removeprefix("-")

    @property
    def falling(self) -> bool:
        return self.columns[self.column] != self.word.startswith("-")

    def href(self, column: str) -> str:
        """The page sorted by a column; where it is already, the other way round."""
        word = f"-{column}" if self.word == column else column
        return self.link(None if word == next(iter(self.columns)) else word)

    def sorted(self, rows: list[Row]) -> list[Row]:
        """Rows in this order; those without a value come last."""
        if self.word == next(iter(self.columns)):
            return rows
        known = [row for row in rows if row[self.column] is not None]
        known.sort(key=lambda row: _folded(row[self.column]), reverse=self.falling)
        return known + [row for row in rows if row[self.column] is None]


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def read_sorting(columns: dict[str, bool], link: Callable[[str | None], str] | None = None) -> Sorting:
    """The Sorting this request asks for. link: absent where the path is all there is to a page. Raises ApiError 400."""
    word = request.args.get("sort") or next(iter(columns))
    if word.removeprefix("-") not in columns:
        raise ApiError(400, "invalid_sort", f"'sort' is one of {', '.join(columns)}, each also with a minus", "sort")
    return Sorting(columns, word, link or (lambda word: f"?{urlencode({'sort': word})}" if word else request.path))
