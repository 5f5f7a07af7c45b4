"""The dumps of earlier versions in this folder, and how what a database says is compared with what they said."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from old_ledger import TABLES, VIEWS

HERE = Path(__file__).resolve().parent
NUMBERS = sorted(path.name.partition(".")[0] for path in HERE.glob("*.dump.xz"))
Row = dict[str, Any]


def unpack(number: str, folder: Path) -> Path:
    """The dump as pg_dump wrote it."""
    file = folder / f"{number}.dump"
    file.write_bytes(lzma.decompress((HERE / f"{number}.dump.xz").read_bytes()))
    return file


def said(number: str) -> dict[str, list[Row]]:
    """View or table → its rows, as the version itself showed them."""
    return json.loads((HERE / f"{number}.json").read_text(), parse_float=Decimal)


def rows(conn: psycopg.Connection, query: str) -> list[Row]:
    found = conn.execute(f"select to_jsonb(q)::text from ({query}) q").fetchall()
    return [json.loads(text, parse_float=Decimal) for (text,) in found]


def counted(found: list[Row], columns: list[str]) -> Counter[tuple[Any, ...]]:
    """Rows by the values of these columns; numbers are equal whatever their trailing zeros."""
    return Counter(tuple(row[column] for column in columns) for row in found)


def same(conn: psycopg.Connection, number: str) -> None:
    """Assert that every view and table says what the version said, in the columns that it had."""
    conn.execute("set timezone = 'UTC'")
    wanted = said(number)
    for name, query in ({view: f"select * from public.{view}" for view in VIEWS} | TABLES).items():
        columns = sorted(wanted[name][0])
        assert counted(rows(conn, query), columns) == counted(wanted[name], columns), f"{name} {columns}"
    assert conn.execute("select * from app.totals_differences('-infinity')").fetchall() == []
