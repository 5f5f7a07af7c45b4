"""What does it cost to compare OpenAI's books with the ledger?
`PYTHONPATH=.:tests:tests/webapp .venv/bin/python bench/reconciling.py [CALLS A DAY] [DAYS]`

A temporary server has an organization with so many calls a day, and OpenAI's books of the same days: the ledger's own
lines, and the minutes around calls without usage. Times are the processor's, of the database session.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from psycopg.types.json import Jsonb

from bench import ledger_rows, procs, rows
from bench.tables import number, table
from webapp.auth.passwords import hashed
from webapp.postgres.cluster import SUPERUSER
from webapp.postgres.migrations import migrate

CALLS, DAYS = 100_000, 30
KEY = """
with v as (insert into public.provider_key_versions (org_id, last4) values (%(org)s, 'xyzA') returning id)
insert into public.key_links (org_id, version_id, openai_key_id, how) select %(org)s, v.id, 'key_a', 'admin' from v
returning version_id
"""
COSTS = """
select jsonb_agg(jsonb_build_object('day', d.day, 'openai_project_id', 'proj_a', 'openai_key_id', 'key_a', 'line_item',
    l.line, 'quantity', l.quantity, 'quantity_unit', 'tokens', 'amount', l.cost))
from unnest(%s::date[]) d (day) cross join lateral app.ledger_lines(%s, d.day) l
"""
MINUTES = """
select jsonb_agg(to_jsonb(m)) from (
    select 'completions' as path, date_trunc('minute', u.started_at, 'utc') as start_at, '1m' as width, u.model,
        'proj_a' as openai_project_id, 'key_a' as openai_key_id, count(*) as requests
    from public.usage_logs u
    where date_trunc('minute', u.started_at, 'utc') in (
        select date_trunc('minute', n.started_at, 'utc') from public.usage_logs n where n.cost_status = 'no_usage')
    group by 2, u.model) m
"""


@contextmanager
def processor(conn: psycopg.Connection, seconds: list[float]) -> Iterator[None]:
    """Append the processor time that the session takes for the block."""
    before = procs.cpu_seconds([conn.info.backend_pid])
    yield
    seconds.append(procs.cpu_seconds([conn.info.backend_pid]) - before)


def run(folder: Path, calls: int, days: int) -> str:
    """The figures as Markdown."""
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = until - timedelta(days=days)
    with rows.server(folder) as cluster:
        migrate(cluster.dsn("postgres", "temporary"))
        with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("set jit = off; set max_parallel_workers_per_gather = 0")  # processor time of one process
            company = _fill(conn, since, until, calls * days)
            return _measure(conn, company, [(since + timedelta(days=n)).date() for n in range(days)], calls)


def _fill(conn: psycopg.Connection, since: datetime, until: datetime, calls: int) -> ledger_rows.Company:
    words = {"name": "Large", "password": hashed(ledger_rows.PASSWORD)}
    company = ledger_rows.Company(*conn.execute(ledger_rows.ORGANIZATION, words).fetchone(), calls)
    conn.execute("update public.organizations set books = 'sandbox' where id = %s", [company.org_id])
    (version,) = conn.execute(KEY, {"org": company.org_id}).fetchone()
    began = time.monotonic()
    for month in ledger_rows.months(since, until):
        conn.execute("select app.ensure_partition(%s)", [month[0].date()])
        partition = f"private.usage_logs_{month[0]:%Y_%m}"
        conn.execute(f"alter table {partition} alter provider_key_id set default '{version}'")
        for _ in ledger_rows.insert_month(conn, [company], (since, until), month):
            pass
    conn.execute("vacuum analyze public.usage_logs")
    print(f"{calls:,} calls in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return company


def _measure(conn: psycopg.Connection, company: ledger_rows.Company, days: list[date], calls: int) -> str:
    costs = conn.execute(COSTS, [days, company.org_id]).fetchone()[0]
    minutes = conn.execute(MINUTES).fetchone()[0] or []
    fetch = {"source": "api", "from_day": str(days[0]), "until_day": str(days[-1] + timedelta(days=1)), "requests": 1,
             "days": [{"day": str(day), "whole": True} for day in days], "costs": costs, "usage": minutes,
             "projects": [], "keys": []}  # fmt: skip
    stored, compared = [], []
    with processor(conn, stored):
        conn.execute("select app.books_store(%s, %s)", [company.org_id, Jsonb(fetch, partial(json.dumps, default=str))])
    for day in days[:5]:
        with processor(conn, compared):
            conn.execute("select app.reconcile_day(%s, %s)", [company.org_id, day])
    parts = conn.execute("select count(*), sum(amount) from public.reconciled_parts").fetchone()
    lines = [
        [f"store a fetch of {len(days)} days and compare them", number(stored[0])],
        ["compare one day again, on average", number(sum(compared) / len(compared))],
    ]
    text = table([f"{calls:,} calls a day", "seconds"], lines)
    books = f"{len(costs):,} lines of OpenAI's and {len(minutes):,} minutes"
    return f"{text}\n\n{books}; {parts[0]:,} parts, which add up to ${parts[1]:f}."


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="spendai-bench-") as name:
        print(run(Path(name), *asked, *(CALLS, DAYS)[len(asked) :]))
