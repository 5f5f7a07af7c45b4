"""Reads a CSV file that OpenAI's dashboard exports, for people without an admin key: costs by day, project and line."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from webapp.books.costs import NAMELESS
from webapp.books.values import BooksError, day_of, exact, name, seconds

NEEDED = ("start_time", "amount_value", "amount_currency")
LARGEST = 64 * 1024 * 1024
Row = dict[str, str]


def read_dashboard_csv(path: Path) -> dict[str, Any]:
    """A fetch as app.books_store takes it. BooksError names the line that is wrong; then nothing of the file counts.

    A day is whole if it had ended (UTC) when the file was last written. Days without a row are not part of the fetch.
    """
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    days: dict[str, bool] = {}
    costs: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], int] = {}
    account = ""
    for line, row in _rows(path):
        account = account or row["organization_id"]
        if row["organization_id"] != account:
            raise BooksError(f"line {line}: the file has lines of two OpenAI organizations")
        try:
            day, cost = _cost(row)
        except BooksError as error:
            raise BooksError(f"line {line}: {error}") from None
        ended = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
        days[day] = ended <= written
        if cost is not None:
            key = (day, cost["openai_project_id"], cost["line_item"])
            if key in seen:
                raise BooksError(f"line {line}: the same day, project and line item as line {seen[key]}")
            seen[key] = line
            costs.append(cost)
    if not days:
        raise BooksError("the file has no lines")
    end = datetime.fromisoformat(max(days)).date() + timedelta(days=1)
    found = {"source": "csv", "grain": "project", "from_day": min(days), "until_day": end.isoformat(), "costs": costs}
    return found | {"days": [{"day": day, "whole": whole} for day, whole in sorted(days.items())]}


def _rows(path: Path) -> list[tuple[int, Row]]:
    """(number of the line, its fields by column name) of every line that is not empty."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        missing = [column for column in NEEDED if column not in header]
        if missing or len(set(header)) < len(header):
            words = f"has no column {', '.join(missing)}" if missing else "has a column twice"
            raise BooksError(f"line 1: {words}. Export costs, not usage, from OpenAI's dashboard, as CSV with commas")
        rows = []
        for fields in reader:
            if len(fields) not in (0, len(header)):
                raise BooksError(f"line {reader.line_num}: {len(fields)} fields instead of {len(header)}")
            if any(field.strip() for field in fields):
                blank = dict.fromkeys(("line_item", "project_id", "organization_id", "quantity"), "")
                rows.append((reader.line_num, blank | {k: v.strip() for k, v in zip(header, fields, strict=True)}))
    except csv.Error as error:
        raise BooksError(f"line {reader.line_num}: this is not CSV ({error})") from None
    return rows


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise BooksError(f"the file is larger than {LARGEST // 1024 // 1024} MB")
    data = path.read_bytes()
    if not data.strip():
        raise BooksError("the file is empty")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BooksError(f"line {line}: the file is not UTF-8") from None


def _cost(row: Row) -> tuple[str, dict[str, Any] | None]:
    """The day of a line, and its cost; None for a day without spend, which has a line without amount."""
    if not re.fullmatch(r"\d{1,12}(\.0)?", row["start_time"]):
        raise BooksError(f"start_time is no moment in seconds: {row['start_time'][:40]!r}")
    day = day_of(seconds(int(row["start_time"].partition(".")[0]), "start_time"), "start_time").isoformat()
    if not row["amount_value"] and not row["line_item"]:
        return day, None
    if row["amount_currency"].lower() != "usd":
        raise BooksError(f"the currency is {row['amount_currency'][:20]!r}; only US dollars can be added up")
    return day, {
        "day": day,
        "openai_project_id": name(row["project_id"] or None, "project_id"),
        "line_item": name(row["line_item"] or NAMELESS, "line_item"),
        "amount": exact(row["amount_value"], "amount_value"),
    }
