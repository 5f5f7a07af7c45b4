"""Long lists: a period, a search, filters and an order in the address, and one page of the rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from webapp import filters
from webapp.filters import Query
from webapp.pages.common import read_period
from webapp.pages.picks import Pick, narrowed
from webapp.pages.scope import FilterError, Scope
from webapp.pages.sorting import Sorting, read_sorting
from webapp.pages.wrong import no_such

ROWS = 100  # of a list on one page


@dataclass(frozen=True)
class Listing:
    """What the address asks of a list.

    period: a Scope without filters, for links to the same period elsewhere. own: a Scope with everything the list's own
    links keep. filters: name → words, of the names that the list has. order: the sorting as SQL takes it, '' for the
    list's own.
    """

    period: Scope
    own: Scope
    filters: dict[str, list[str]]
    search: str
    sorting: Sorting
    order: str
    page: int

    @property
    def periods(self) -> tuple[Any, Any, Any, Any]:
        """from, to, and the same of the period that it is compared with."""
        return self.period.query.periods

    @property
    def place(self) -> tuple[int, int]:
        """Offset and limit of the page."""
        return (self.page - 1) * ROWS, ROWS

    def file(self, page: str) -> str:
        """Address of the page that gives the whole list as a file."""
        return self.own.link(page, sort=self.own.extra["sort"])

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.search or self.filters)

    def facts(self, chosen: Iterable[Pick] = ()) -> Iterator[tuple[str, str]]:
        """What the sheet About says of which rows the file has."""
        return narrowed(self.search, chosen)

    def pages(self, count: int) -> dict[str, Any]:
        """Template variables of the line below a list of count rows: which are shown, previous and next page."""
        first, last = self.place[0] + 1, min(self.page * ROWS, count)
        return {
            "first": first,
            "last": last,
            "count": count,
            "previous": self.own.link(page=self.page - 1 if self.page > 2 else None) if self.page > 1 else None,
            "next": self.own.link(page=self.page + 1) if last < count else None,
        }


def unfiltered(query: Query) -> Scope:
    """A Scope of the query's period without its filters, for links."""
    return Scope(replace(query, filters={}))


def read_listing(columns: dict[str, bool], names: tuple[str, ...] = (), **kept: str) -> Listing:
    """The Listing of this request. columns: see Sorting. names: its filters. kept: further words of its links.

    Raises FilterError.
    """
    read, error = read_period()
    query = replace(read, filters={})
    given = filters.given(request.args, names)
    search = request.args.get("q", "").replace("\0", "").strip()
    page = filters.whole(request.args.get("page") or "1", 1, 10**6)
    if page is None:
        raise no_such("page", request.args["page"])
    extra: dict[str, Any] = given | kept | {"q": search, "sort": request.args.get("sort", "")}
    own = Scope(query, extra, error=error)
    if error:
        raise FilterError(error, own)
    sorting = read_sorting(columns, lambda word: own.link(sort=word))
    usual = sorting.word == next(iter(columns))
    order = "" if usual else ("-" if sorting.falling else "") + sorting.column
    return Listing(unfiltered(query), own, given, search, sorting, order, page)
