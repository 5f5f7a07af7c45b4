"""``flask retention``: drops the calls of old months, each a partition of usage_logs; all sums stay.

With ``--archive`` a month is written to Parquet files first, and read back (webapp/archive/).
With ``--labels`` the end users and tags of these months are counted as (other): their sums stay, their names go.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
import psycopg
from flask.cli import with_appcontext
from psycopg import sql

from webapp.commands.database import owner_connection
from webapp.written import many

# Seconds that detaching waits for queries that read usage_logs, such as an analyst's; no call waits for it meanwhile.
PATIENCE = 60.0


@click.command()
@click.option("--months", type=click.IntRange(1, 1200), required=True, help="Whole months to keep before this one.")
@click.option("--reason", default="retention", show_default=True, help="Kept in the audit log of each organization.")
@click.option(
    "--archive",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="First write each month to Parquet files in this folder, and read them back.",
)
@click.option("--labels", is_flag=True, help="Also forget the end users and values of tags of dropped months.")
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@with_appcontext
def retention(months: int, reason: str, folder: Path | None, labels: bool, dry_run: bool) -> None:
    """Drop the calls of older months, one month after the other. All sums, corrections and the audit log stay."""
    with _alone(None if dry_run else folder), owner_connection(autocommit=True) as conn:
        due = conn.execute("select * from app.retention_due(%s)", [months]).fetchall()
        kept = [month for month, _, _, _, doubtful in due if doubtful]
        for month, partition, state, calls, doubtful in due:
            if doubtful:
                click.echo(f"{month:%Y-%m}: {many(calls, 'call')} kept, of which {doubtful} in doubt")
            elif dry_run:
                click.echo(f"{month:%Y-%m}: {many(calls, 'call')} would be dropped")
            else:
                written = None
                if folder:  # before the month leaves usage_logs: a full disk must not hide it from anybody
                    _archive(conn, month, partition, folder, replace=False)
                _detach(conn, partition, state)
                if folder:  # from here on nothing of the month changes: written again only if it has changed meanwhile
                    written = _archive(conn, month, partition, folder, replace=True)
                conn.execute("select app.retention_drop(%s, %s, %s)", [month, reason, written])
                click.echo(f"{month:%Y-%m}: {many(calls, 'call')} dropped{f', archived in {folder}' if folder else ''}")
        if labels and not dry_run:
            _fold(conn)
    if not due:
        click.echo(f"no calls are older than {many(months, 'whole month')}")
    if kept:
        raise click.ClickException("close the calls that flask calls in-doubt lists, then run this again")


@contextmanager
def _alone(folder: Path | None) -> Iterator[None]:
    """Let no other run write into the folder meanwhile: each would take away the files that the other has begun."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise click.ClickException(f"another flask retention is writing to {folder}: run this again later") from None
    except OSError:  # some network file systems lock no folders
        pass
    try:
        yield
    finally:
        os.close(place)


def _archive(conn: psycopg.Connection, month: date, partition: str, folder: Path, *, replace: bool) -> str:
    """Write a month's archive, or compare the one that is there with the month; the hash of its manifest."""
    from webapp.archive.month import ArchiveError, write  # noqa: PLC0415  # imports pyarrow, which is slow

    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            conn.execute("set local timezone = 'UTC'")
            calls = sql.Identifier("private", partition)
            return write(conn, month, calls, folder, replace=replace)["hash"]
    except ArchiveError as error:
        raise click.ClickException(f"{month:%Y-%m} stays: {error}") from None


def _fold(conn: psycopg.Connection) -> None:
    """Count the labels of every dropped month as (other), also of months that an earlier run dropped without this."""
    for (month,) in conn.execute("select month from private.dropped_months order by month").fetchall():
        if saved := conn.execute("select app.labels_fold(%s)", [month]).fetchone()[0]:
            click.echo(f"{month:%Y-%m}: end users and tags are counted as (other), which saves {many(saved, 'row')}")


def _detach(conn: psycopg.Connection, partition: str, state: str) -> None:
    """Detach a month's partition from usage_logs without making calls wait; finishes what an earlier run began.

    state: of app.retention_due: attached, detaching or detached.
    """
    if state == "detached":
        return
    how = sql.SQL("finalize" if state == "detaching" else "concurrently")
    name = sql.Identifier("private", partition)
    # Not statement_timeout: it would have to be the session's, which a pooler gives to others.
    late = threading.Timer(PATIENCE, conn.cancel_safe)
    late.start()
    try:
        conn.execute(sql.SQL("alter table public.usage_logs detach partition {} {}").format(name, how))
    except psycopg.errors.QueryCanceled:
        message = (
            f"a query on usage_logs, such as that of flask prices reprice, has been running for {PATIENCE:g} seconds: "
            "let it end, or end it, then run this again"
        )
        raise click.ClickException(message) from None
    finally:
        late.cancel()
