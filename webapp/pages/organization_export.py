"""Everything of an organization as one zip: a CSV file for each table, and a manifest to check them by.

The zip is made while it is sent. Each thousand rows are a transaction of their own, so none stays open while a slow
client reads, and no more than that is in memory.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import partial
from typing import Any

from psycopg import sql

from webapp import auth, db
from webapp.pages.export import cell
from webapp.pages.sheets import Pipe

PAGE = 1000  # rows
# Without statistics Postgres expects few rows and would sort the whole rest of the table for each page.
BY_INDEX = "select set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)"
EXACT = Context(prec=200)  # sums of exact amounts are exact


def _pages(table: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Rows of one table of the caller's organization, PAGE at a time, in the order of the table's key."""
    keys = table["ordered_by"]
    order = sql.SQL(", ").join(map(sql.Identifier, keys))
    after: list[Any] = []
    while True:
        query = sql.SQL("select {columns} from public.{table} where {own}{after} order by {order} limit {page}").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, table["columns"])),
            table=sql.Identifier(table["name"]),
            own=sql.SQL("org_id is not null" if "org_id" in table["columns"] else "true"),  # not the list prices
            # The first condition is the one that an index finds.
            after=sql.SQL(" and {} >= %s and ({}) > ({})").format(
                sql.Identifier(keys[0]), order, sql.SQL(", ").join([sql.Placeholder()] * len(keys))
            ) if after else sql.SQL(""),
            order=order,
            page=sql.Literal(PAGE),
        )  # fmt: skip
        rows = auth.read(partial(_ask, query=query, words=after[:1] + after))
        yield rows
        if len(rows) < PAGE:
            return
        after = [rows[-1][key] for key in keys]


def _ask(tx: db.Transaction, query: sql.Composed, words: list[Any]) -> list[dict[str, Any]]:
    tx.conn.execute(BY_INDEX)
    return tx.conn.execute(query, words).fetchall()


def _written(value: Any) -> str:
    """A cell: lists as JSON, everything else as in the other exports."""
    return cell(json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list) else value)


def _table(table: dict[str, Any]) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
    """A CSV file, in parts, each with the rows that it holds."""
    for n, rows in enumerate(_pages(table)):
        text = io.StringIO()
        writer = csv.writer(text)
        if n == 0:
            writer.writerow(table["columns"])
        writer.writerows([_written(row[column]) for column in table["columns"]] for row in rows)
        yield text.getvalue().encode(), rows


def parts(tables: list[dict[str, Any]], about: dict[str, Any]) -> Iterator[bytes]:
    """The zip. tables: rows of app.organization_export; about: what the manifest says first."""
    pipe, files = Pipe(), []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # any writer will do
        for table in tables:
            name, count, digest = f"{table['name']}.csv", 0, hashlib.sha256()
            sums = dict.fromkeys(table["added_up"], Decimal(0))
            with archive.open(name, "w", force_zip64=True) as file:
                for data, rows in _table(table):
                    file.write(data)
                    digest.update(data)
                    count += len(rows)
                    for column, total in sums.items():
                        for row in rows:
                            total = EXACT.add(total, row[column] or 0)  # noqa: PLW2901
                        sums[column] = total
                    yield pipe.take()
            files.append({"name": name, "rows": count, "sums": {k: f"{v:f}" for k, v in sums.items()},
                          "sha256": digest.hexdigest()})  # fmt: skip
        manifest = about | {"finished_at": cell(datetime.now(UTC)), "files": files}
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    yield pipe.take()
