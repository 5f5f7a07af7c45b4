"""Excel files: typed cells, a frozen header, and no cell that Excel would run as a formula. Sent while they are made.

openpyxl writes the workbook and its styles; the rows are written here, as they come. With openpyxl's own cells a row of
calls takes seven times the processor time, and nothing could be sent before the last row (docs/performance.md).
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from webapp.written import digits, guarded

if TYPE_CHECKING:
    from openpyxl import Workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXACT = "Exact amounts"
DIGITS = 15  # of a number in Excel
MOST_ROWS = 1_048_576  # of a sheet in Excel, with the header
MOST_BYTES = 2**30  # of a sheet before compression: from 2 GiB on it needs an extension of ZIP that Excel cannot read
LONGEST = 32_767  # characters of a cell in Excel
CHUNK_ROWS, CHUNK_BYTES = 100, 65_536
SEEN_ROWS = 100  # are looked at for the widths of the columns
FORMATS = ("General", "#,##0", "#,##0.00##########", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "0")
GENERAL, COUNT, DOLLARS, DAY, MOMENT, PLAIN = range(len(FORMATS))
BOLD = len(FORMATS)
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML cannot say them
EPOCH = datetime(1899, 12, 30)  # Excel knows no time zones
HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)
TAIL = b"</sheetData></worksheet>"


class Sheet(NamedTuple):
    """A table. Decimal: dollars, int: a count, date, datetime; anything else is text, None an empty cell.

    money: places of columns whose amounts are added up: where one has more digits than Excel's numbers, it stands in
    full in one more column, EXACT. In other columns such a value is text.
    """

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]
    money: frozenset[int] = frozenset()


def text_of(value: Any) -> str:
    """A value as text that no spreadsheet runs as a formula; {} is empty."""
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return guarded(str(value))


def write(sheets: Iterable[Sheet], zone: ZoneInfo) -> Iterator[bytes]:
    """The file, in parts. zone: moments are shown in it. A table that is too long for a sheet goes on in the next."""
    from openpyxl import Workbook  # noqa: PLC0415  # with numpy it takes 28 MB of each worker, most of which write no file
    from openpyxl.styles import Font  # noqa: PLC0415

    book = Workbook()
    book.properties.creator = "SpendAI"
    for n, form in enumerate(FORMATS):
        book.active.cell(1, n + 1).number_format = form
    book.active.cell(1, BOLD + 1).font = Font(bold=True)
    styles = [book.active.cell(1, n + 1).style_id for n in range(BOLD + 1)]
    pipe, titles = Pipe(), []
    with ZipFile(pipe, "w", ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]  # any writer will do
        for sheet in sheets:
            writer, rows = _Rows(sheet, zone, styles), iter(sheet.rows)
            seen = list(islice(rows, SEEN_ROWS))
            head, rows = writer.head(seen), chain(seen, rows)
            for part in range(1, 1000):
                titles.append(sheet.title if part == 1 else f"{sheet.title} {part}")
                with archive.open(f"xl/worksheets/sheet{len(titles)}.xml", "w") as file:
                    file.write(head)
                    for text in writer.part(rows):
                        file.write(text)
                        if pipe.size >= CHUNK_BYTES:
                            yield pipe.take()
                        time.sleep(0)  # other requests of this worker go on
                    file.write(TAIL)
                if not writer.full:
                    break
        _finish(book, titles, archive)
    yield pipe.take()


def _finish(book: Workbook, titles: Sequence[str], archive: ZipFile) -> None:
    """Everything but the sheets, which are in the archive already."""
    book.active.title = titles[0]
    for title in titles[1:]:
        book.create_sheet(title)
    file = io.BytesIO()
    book.save(file)
    with ZipFile(file) as made:
        for name in made.namelist():
            if not name.startswith("xl/worksheets/sheet"):
                archive.writestr(name, made.read(name))


class Pipe:
    """A file that is taken away in parts while it is written. size: bytes that wait in it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """For ZipFile; there is nothing to flush."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self.parts)
        self.parts, self.size = [], 0
        return taken


class _Rows:
    """The rows of a sheet as XML. full: whether the last sheet ended before the rows did."""

    def __init__(self, sheet: Sheet, zone: ZoneInfo, styles: Sequence[int]) -> None:
        self.sheet, self.zone, self.styles, self.full = sheet, zone, styles, False
        self.header = [*sheet.header, EXACT] if sheet.money else [*sheet.header]
        self.counts = [PLAIN if word.endswith("code") else COUNT for word in self.header]

    def head(self, seen: Sequence[Sequence[Any]]) -> bytes:
        """XML before the first row, and the header. seen: the first rows, for the widths of the columns."""
        columns = []
        for n, word in enumerate(self.header):
            longest = max((len(str(row[n])) for row in seen if n < len(row) and row[n] is not None), default=0)
            width = min(max(len(word), min(longest, 22 if self._numeric(seen, n) else 60)) + 3, 60)
            columns.append(f'<col min="{n + 1}" max="{n + 1}" width="{width}" customWidth="1"/>')
        names = "".join(_text(word, self.styles[BOLD]) for word in self.header)
        return f"{HEAD}<cols>{''.join(columns)}</cols><sheetData><row>{names}</row>".encode()

    @staticmethod
    def _numeric(seen: Sequence[Sequence[Any]], n: int) -> bool:
        return any(n < len(row) and isinstance(row[n], int | Decimal | date) for row in seen)

    def part(self, rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
        """The rows of one sheet, in chunks."""
        left, size = MOST_ROWS - 1, 0
        while left and size < MOST_BYTES:
            chunk = [self._row(row) for row in islice(rows, min(CHUNK_ROWS, left))]
            if not chunk:
                self.full = False
                return
            text = "".join(chunk).encode()
            left, size = left - len(chunk), size + len(text)
            yield text
        self.full = True

    def _row(self, values: Sequence[Any]) -> str:
        cells, in_full = [], []
        for n, value in enumerate(values):
            if isinstance(value, Decimal):
                text = digits(value)
                if len(text) > DIGITS and len(text.replace(".", "").lstrip("-0")) > DIGITS:
                    if n not in self.sheet.money:
                        cells.append(_text(text))
                        continue
                    in_full.append(f"{self.header[n]}: {text}")
                cells.append(f'<c s="{self.styles[DOLLARS]}"><v>{text}</v></c>')
            else:
                cells.append(self._cell(value, n))
        if in_full:
            cells.append(_text("; ".join(in_full)))
        return f"<row>{''.join(cells)}</row>"

    def _cell(self, value: Any, n: int) -> str:
        if value is None or value == "":
            return "<c/>"
        if isinstance(value, bool):
            return f'<c t="b"><v>{value:d}</v></c>'
        if isinstance(value, int):
            return f'<c s="{self.styles[self.counts[n]]}"><v>{value}</v></c>'
        if isinstance(value, datetime):
            days = (value.astimezone(self.zone).replace(tzinfo=None) - EPOCH) / timedelta(days=1)
            return f'<c s="{self.styles[MOMENT]}"><v>{days:.9f}</v></c>'
        if isinstance(value, date):
            return f'<c s="{self.styles[DAY]}"><v>{(value - EPOCH.date()).days}</v></c>'
        return _text(text_of(value))


def _text(text: str, style: int = 0) -> str:
    """A cell of text, cut to what Excel holds."""
    text = ILLEGAL.sub("", text)
    text = escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{text}</t></is></c>'
