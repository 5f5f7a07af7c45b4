"""Files of a page's rows: CSV or Excel, as the address ends. Streamed, with exact numbers and safe in a spreadsheet.

Every file says whose it is and whether its money is play money: in its name, and CSV in the column ``books``, Excel on
the sheet About. ``format=semicolon`` makes CSV as spreadsheets of many countries read it: ; between cells, decimal
comma. Browsers get a byte-order mark, by which Excel knows UTF-8; ``bom=0`` leaves it out, ``bom=1`` asks for it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response, request, stream_with_context

from webapp import auth, db
from webapp.filters import Query
from webapp.pages import sheets
from webapp.pages.common import organization_zone
from webapp.pages.wrong import no_such
from webapp.pause import gently
from webapp.written import digits

PAGE_ROWS = 1000  # rows that one transaction reads
CHUNK_ROWS = 500  # rows that are sent together
# Columns of amounts that people add up; see sheets.Sheet.
MONEY = {"cost", "adjustments", "cost_corrected", "cost_at_least", "corrections", "openai", "ledger", "difference",
         "explained", "unexplained", "unexplained_gross", "amount"}  # fmt: skip
NOT_IN_NAMES = re.compile(r"[\W_]+")
Row = dict[str, Any]
Facts = Iterable[tuple[str, Any]]


def cell(value: Any, zone: ZoneInfo | None = None, comma: bool = False) -> str:
    """One value as text; moments in zone, by default UTC. What a spreadsheet takes for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return digits(value).replace(".", "," if comma else ".")
    if isinstance(value, datetime):
        return value.astimezone(zone or UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | int):
        return str(value)
    return sheets.text_of(value)


def paged(fetch: Callable[[db.Transaction, Row | None, int], list[Row]], count: int = 0) -> Iterator[Row]:
    """All rows of a list. fetch: (transaction, last row of the page before or None, how many) → rows of the next page;
    count: rows of a page, by default PAGE_ROWS.

    Each page is a transaction: none stays open while a slow client reads.
    """
    last, count = None, count or PAGE_ROWS
    while True:
        rows = auth.read(lambda tx, after=last: fetch(tx, after, count))
        yield from rows
        if len(rows) < count:
            return
        last = rows[-1]


def answer(
    name: str, columns: Sequence[str], rows: Iterable[Row], about: Facts = (), zone: ZoneInfo | None = None
) -> Response:
    """The file of these columns of the rows.

    name: what it is and, after a space, of which period: "openai-books 2026-10"; about: facts for the sheet About, read
    after the rows; zone: of days and moments, None for the organization's.
    """
    zone = zone or organization_zone()
    file = file_name(name, zone)
    if request.path.rstrip("/").endswith(".xlsx"):
        title = name.split(maxsplit=1)[0].replace("-", " ")
        made = (sheet(_title(title), columns, rows), about_sheet(about, zone))
        return download(f"{file}.xlsx", sheets.XLSX, sheets.write(made, zone))
    books = "sandbox" if sandbox() else "live"
    lines = ([*(row[column] for column in columns), books] for row in rows)
    return download(f"{file}.csv", "text/csv", _lines([*columns, "books"], lines, zone))


def period_answer(name: str, columns: Sequence[str], rows: Iterable[Row], query: Query, about: Facts) -> Response:
    """The file of rows about the period of a query, which is in its name."""
    return answer(f"{name} {query.span.first}-{query.span.last}", columns, rows, about, query.zone)


def sheet(title: str, columns: Sequence[str], rows: Iterable[Row]) -> sheets.Sheet:
    """These columns of the rows as a sheet."""
    header = [_title(column.replace("_", " ")) for column in columns]
    money = frozenset(n for n, column in enumerate(columns) if column in MONEY)
    return sheets.Sheet(title, header, ([row[column] for column in columns] for row in gently(rows)), money)


def _title(words: str) -> str:
    return words.capitalize().replace("Openai", "OpenAI")


def about_sheet(facts: Facts, zone: ZoneInfo) -> sheets.Sheet:
    """The sheet that says what the file is. facts: (name, value), added to what every file says."""

    def rows() -> Iterator[tuple[str, Any]]:
        yield "Organization", auth.me()["organization"]
        yield "Sandbox", "yes: play money that nobody pays" if sandbox() else "no"
        yield "Time zone of days and months", zone.key
        yield "As of", auth.as_of() or datetime.now(UTC)
        yield from facts
        yield sheets.EXACT, "Amounts with more digits than a number in Excel has (15), in full."

    return sheets.Sheet("About", ("", "Value"), rows())


def sandbox() -> bool:
    """Whether the organization's money is play money."""
    return auth.me()["books"] == "sandbox"


def file_name(name: str, zone: ZoneInfo | None = None) -> str:
    """Name of a file without its ending: organization, name, zone if it is not UTC, -sandbox."""
    far = zone.key if zone and zone.key != "UTC" else ""
    parts = auth.me()["organization"][:60], name, far, "sandbox" if sandbox() else ""
    return "-".join(word for part in parts if (word := NOT_IN_NAMES.sub("-", part).strip("-"))).lower()


def _lines(header: Sequence[str], rows: Iterable[Sequence[Any]], zone: ZoneInfo) -> Iterator[str]:
    """Lines of a CSV file as the query string asks for them. Raises ApiError 400 before the first one."""
    form = request.args.get("format", "")
    if form not in ("", "semicolon"):
        raise no_such("format", form)
    comma = form == "semicolon"
    by_browser = "text/html" in request.headers.get("Accept", "")
    mark = "\ufeff" if request.args.get("bom", "1" if by_browser else "0") != "0" else ""
    return _written(chain([header], gently(rows)), comma, zone, mark)


def _written(rows: Iterable[Sequence[Any]], comma: bool, zone: ZoneInfo, mark: str) -> Iterator[str]:
    buffer = io.StringIO(mark)
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, delimiter=";" if comma else ",")
    for count, row in enumerate(rows, 1):
        writer.writerow([cell(value, zone, comma) for value in row])
        if count % CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def download(name: str, mimetype: str, parts: Iterable[str | bytes]) -> Response:
    """A streamed file."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lstrip("-")
    full = "" if plain == name else f"; filename*=UTF-8''{quote(name)}"
    response = Response(
        stream_with_context(iter(parts)),
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{plain}"{full}'},
    )
    if re.fullmatch(r"[0-9]{1,20}", request.args.get("download", "")):
        # app.js waits for this cookie to learn that the download has begun.
        response.set_cookie("download", request.args["download"], max_age=60, samesite="Lax")
    return response
