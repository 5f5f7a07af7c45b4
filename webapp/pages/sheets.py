"""Excel files: typed cells, a frozen header, and no cell that Excel would run as a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from webapp.pages.export import cell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOLLARS, COUNT, MOMENT = "#,##0.00##########", "#,##0", "yyyy-mm-dd hh:mm"
FORMATS = {Decimal: DOLLARS, int: COUNT, datetime: MOMENT}


class Sheets:
    """A workbook that is written row by row."""

    def __init__(self) -> None:
        self.book = Workbook(write_only=True)

    def add(self, title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A sheet. Decimal: dollars, int: a count, datetime: a moment in UTC, anything else: text."""
        sheet = self.book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for n in range(len(header)):
            sheet.column_dimensions[chr(ord("A") + n)].width = 34 if n == 0 else 18
        head = [WriteOnlyCell(sheet, value=word) for word in header]
        for made in head:
            made.font = Font(bold=True)
        sheet.append(head)
        for row in rows:
            sheet.append([self._cell(sheet, value) for value in row])

    @staticmethod
    def _cell(sheet: Any, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None)  # Excel knows no time zones
        elif not isinstance(value, int | Decimal):
            value = cell(ILLEGAL_CHARACTERS_RE.sub("", str(value)))
        made = WriteOnlyCell(sheet, value=value)
        made.number_format = FORMATS.get(type(value), "@")
        return made

    def content(self) -> bytes:
        """The file."""
        file = io.BytesIO()
        self.book.save(file)
        return file.getvalue()
