"""One month's folder: Parquet files and manifest.json. Written beside its place, read back, and only then put there.

manifest.json: format, month, written_at, and for each file its rows, bytes, SHA-256 and sums (as text, exact); hash is
the SHA-256 of all that. Sums of the database and of the files, read back, must agree, or the folder is not kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv

from webapp.archive import tables

FORMAT = 2  # of manifests that are written; those of format 1 are read too, see tables.LATER
MANIFEST = "manifest.json"
MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)
LONGEST = 1_000_000  # bytes of a manifest: it has about 1,500
Manifest = dict[str, Any]


class ArchiveError(Exception):
    """An archive is not as its manifest says, or cannot be written. The message names the file and what is wrong."""


def write(
    conn: psycopg.Connection[Any], month: date, calls: sql.Composable, folder: Path, *, replace: bool = False
) -> Manifest:
    """Write the month's calls, their corrections and fills and the prices used into folder/2026-05; its manifest.

    calls: the table that has the month's calls. conn: of the database's owner, in a transaction that sees one state
    (repeatable read) with time zone UTC. A good archive with as many rows and the same sums stays as it is. Any other
    folder there is replaced if ``replace``, else it is an ArchiveError. Errors of the disk are ArchiveErrors too.
    """
    place = folder / f"{month:%Y-%m}"
    draft = folder / ".part" / place.name  # so deep that queries of */calls.parquet do not find it
    try:
        if place.exists():
            return _same(place, counted(conn, month, calls))
    except ArchiveError:
        if not replace:
            raise
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        facts = counted(conn, month, calls)
        for name in tables.QUERIES:
            facts[name] |= _write_file(conn, tables.query(name, calls, month), draft / f"{name}.parquet")
        manifest = {"format": FORMAT, "month": place.name, "written_at": datetime.now(UTC).isoformat(), "files": facts}
        manifest["hash"] = hash_of(manifest)
        _keep(draft / MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")
        verify(draft, place.name)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
        _sync(folder)
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"{place}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):  # another month is being written
            draft.parent.rmdir()
    return manifest


def _same(place: Path, facts: dict[str, Any]) -> Manifest:
    """The manifest of a folder that is there already, if it has as many rows, with the same sums, as the database."""
    manifest = verify(place, place.name)
    if {name: {"rows": f["rows"], "sums": f["sums"]} for name, f in manifest["files"].items()} != facts:
        raise ArchiveError(f"{place}: is an archive of other rows: move it away, then run this again")
    return manifest


def counted(conn: psycopg.Connection[Any], month: date, calls: sql.Composable) -> dict[str, Any]:
    """File → {rows, sums}, counted by the database. Every correction and every cost filled in changes them."""
    found = {}
    for name, columns in tables.SUMS.items():
        wanted = [sql.SQL("count(*)")]
        wanted += [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(column)) for column in columns]
        asked = tables.query(name, calls, month)
        count = sql.SQL("select {} from ({}) q").format(sql.SQL(", ").join(wanted), asked)
        rows, *sums = conn.execute(count).fetchone() or ()
        texts = {column: f"{Decimal(value):f}" for column, value in zip(columns, sums, strict=True)}
        found[name] = {"rows": rows, "sums": texts}
    return found


def _write_file(conn: psycopg.Connection[Any], asked: sql.Composable, path: Path) -> dict[str, Any]:
    """Write the rows of a query as one Parquet file; its length and SHA-256."""
    types = tables.arrow_types(conn, asked)
    with pq.ParquetWriter(path, pa.schema(list(types.items())), compression="zstd") as writer:
        for batch in _batches(conn, asked, types):
            writer.write_batch(batch)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": _sha256(path)}


def _batches(
    conn: psycopg.Connection[Any], asked: sql.Composable, types: dict[str, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    """The rows of a query, some megabytes at a time: as CSV out of Postgres, which keeps every digit."""
    with conn.cursor().copy(sql.SQL("copy ({}) to stdout with (format csv, header)").format(asked)) as copy:
        yield from csv.open_csv(
            io.BufferedReader(_Reader(copy), 1 << 20),  # fills each read, so that blocks are whole
            read_options=csv.ReadOptions(block_size=1 << 23),  # bytes of CSV in a row group of the file
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
                true_values=["t"], false_values=["f"],
            ),
        )  # fmt: skip


class _Reader(io.RawIOBase):
    """Postgres' stream as the file that Arrow reads."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy, self._rest = copy, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest or bytes(self._copy.read())
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        self._rest = data[count:]
        return count


def verify(place: Path, month: str) -> Manifest:
    """Read the folder of a month, as 2026-05, back; its manifest.

    Raises ArchiveError where the month, a length, a SHA-256, rows or sums differ, or the manifest leaves a file out.
    """
    manifest = read_manifest(place)
    if manifest["month"] != month:
        raise ArchiveError(f"{place}: is the archive of {manifest['month']}: name it so, or move it away")
    if more := sorted({path.name for path in place.glob("*.parquet") if path.stem not in manifest["files"]}):
        raise ArchiveError(f"{place / more[0]}: is not in the manifest: move it away")
    for name, facts in manifest["files"].items():
        path = place / f"{name}.parquet"
        try:
            if (path.stat().st_size, _sha256(path)) != (facts["bytes"], facts["sha256"]):
                raise ArchiveError(f"{path}: its length or SHA-256 is not the manifest's")
            file = pq.ParquetFile(path)
            sums = dict.fromkeys(facts["sums"], Decimal(0))
            rows = 0
            for batch in file.iter_batches(columns=list(sums) or file.schema_arrow.names[:1]):
                rows += batch.num_rows
                for column in sums:
                    sums[column] += _sum(batch.column(column))
        except (OSError, pa.ArrowException, KeyError) as error:
            raise ArchiveError(f"{path}: cannot be read: {error}") from error
        if rows != facts["rows"]:
            raise ArchiveError(f"{path}: has {rows} rows, the manifest says {facts['rows']}")
        for column, value in sums.items():
            if value != Decimal(facts["sums"][column]):
                raise ArchiveError(f"{path}: {column} adds up to {value}, the manifest says {facts['sums'][column]}")
    return manifest


def _sum(column: pa.Array) -> Decimal:
    if pa.types.is_decimal(column.type):  # room for the sum of a batch
        column = column.cast(pa.decimal128(38, column.type.scale))
    return Decimal(pc.sum(column).as_py() or 0)


def read_manifest(place: Path) -> Manifest:
    """The manifest of a month's folder. Raises ArchiveError when it is missing, no manifest, or was altered."""
    path = place / MANIFEST
    try:
        if path.stat().st_size > LONGEST:
            raise ArchiveError(f"{path}: is no manifest: it is longer than {LONGEST} bytes")
        manifest = json.loads(path.read_bytes())
        good = manifest["format"] in range(1, FORMAT + 1) and MONTH.fullmatch(manifest["month"]) and _complete(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ArchiveError(f"{path}: is missing or no manifest: {error}") from error
    if not good:
        raise ArchiveError(f"{path}: is not a manifest of format {FORMAT}")
    if manifest.get("hash") != hash_of(manifest):
        raise ArchiveError(f"{path}: was altered: its hash does not fit")
    return manifest


def _complete(manifest: Manifest) -> bool:
    """Whether a manifest's facts are those of all files, with every sum. Where one is of another kind, it may raise."""
    files = manifest["files"]
    wanted = {name: found for name, found in tables.SUMS.items() if tables.LATER.get(name, 1) <= manifest["format"]}
    sums = {name: {column: Decimal(text) for column, text in f["sums"].items()} for name, f in files.items()}
    known = all(isinstance(f["rows"], int) and f.keys() >= {"bytes", "sha256"} for f in files.values())
    finite = all(value.is_finite() for found in sums.values() for value in found.values())
    return known and finite and {name: tuple(found) for name, found in sums.items()} == wanted


def hash_of(manifest: Manifest) -> str:
    """SHA-256 of a manifest without its hash, in one fixed notation."""
    content = {name: value for name, value in manifest.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a rename last through a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
