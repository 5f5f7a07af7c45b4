"""How long does it take to archive, drop, verify and query a month of calls?

The commands an operator types, each as a process of its own: flask retention --archive, flask archive verify, and the
query over the Parquet file that docs/analysts.md shows, by DuckDB. Time, memory of the process at its most, bytes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from stack import SECRETS

from bench import ledger_rows, rows
from bench.tables import number, table
from webapp.auth.passwords import hashed
from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER
from webapp.postgres.migrations import migrate
from webapp.written import exact

QUERY = "select model, count(*), sum(cost) from read_parquet('{}') group by 1 order by 3 desc"


def run(folder: Path, calls: int) -> tuple[str, bool]:
    """The figures as Markdown, and whether everything was found again to the last digit."""
    month = (date.today().replace(day=1) - timedelta(days=100)).replace(day=1)
    with rows.server(folder) as cluster:
        admin, owner = (cluster.dsn(name, "temporary", "archive") for name in (SUPERUSER, "postgres"))
        with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create database archive owner postgres")
        with psycopg.connect(admin) as conn:
            rows.supabase(conn)
        migrate(owner)
        cost = _fill(admin, month, calls)
        place = folder / "archive"
        environ = os.environ | SECRETS | {"DATABASE_URL": owner, "SPENDAI_HOME": str(folder / "home")}
        drop = _flask(environ, "retention", "--months", "1", "--archive", str(place))
        verify = _flask(environ, "archive", "verify", str(place))
    parquet = place / f"{month:%Y-%m}" / "calls.parquet"
    began = time.monotonic()
    found = duckdb.sql(QUERY.format(parquet)).fetchall()
    asked = time.monotonic() - began
    good = sum(row[1] for row in found) == calls and sum(row[2] or 0 for row in found) == cost
    lines = [
        ["write, read back, detach, drop", number(drop[0]), number(drop[1])],
        ["flask archive verify", number(verify[0]), number(verify[1])],
        ["calls and dollars per model, by DuckDB", number(asked), ""],
    ]
    size = parquet.stat().st_size / 1e6
    text = table([f"{calls:,} calls of one month", "seconds", "MB of memory"], lines)
    end = "found again to the last digit" if good else "NOT found again"
    return f"{text}\n\nThe calls take {size:,.0f} MB on disk; {exact(cost)} were dropped and {end}.", good


def _fill(dsn: str, month: date, calls: int) -> Any:
    """One company with so many calls in a month; what they cost."""
    since = datetime(month.year, month.month, 1, tzinfo=UTC)
    period = since, (since + timedelta(days=32)).replace(day=1)
    with psycopg.connect(dsn, autocommit=True) as conn:
        words = {"name": "Large", "password": hashed(ledger_rows.PASSWORD)}
        company = ledger_rows.Company(*conn.execute(ledger_rows.ORGANIZATION, words).fetchone(), calls)
        conn.execute("select app.ensure_partition(%s)", [month])
        for _ in ledger_rows.fill_month(conn, [company], period, period):
            pass
        return conn.execute("select sum(cost) from public.usage_logs").fetchone()[0]


def _flask(environ: dict[str, str], *words: str) -> tuple[float, float]:
    """Run a command; seconds, and MB of its memory at its most (of the largest child so far)."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", *words], cwd=ROOT, env=environ, check=True)
    return time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
