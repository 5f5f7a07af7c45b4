"""What does pricing cost? Microseconds per call in Postgres, alone and in batches, on every Postgres found here.

    python bench/price_usage.py [calls]

Alone: one call in a statement and transaction of its own, minus the time of `select 1`. The servers run on this machine
and are deleted at the end.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import find_bindir, major

BATCHES = (1, 8, 32, 100)  # the proxy settles 1 to 32 calls at once
CALLS = [
    ("/v1/chat/completions", "gpt-4o-2024-08-06", "default", {
        "prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                      "rejected_prediction_tokens": 0}}),
    ("/v1/chat/completions", "gpt-5-mini-2025-08-07", "default", {
        "prompt_tokens": 80992, "completion_tokens": 274770, "total_tokens": 355762}),
    ("/v1/responses", "gpt-5.4-2026-03-05", "flex", {
        "input_tokens": 36, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 123}),
    ("/v1/embeddings", "text-embedding-3-small", None, {"prompt_tokens": 8, "total_tokens": 8}),
]  # fmt: skip
ONE = "select * from app.price_usage(null, %s, %s, null, %s, false, %s::jsonb, null, now())"
LATERAL = """
select p.*
from jsonb_to_recordset(%s::jsonb)
    as c (endpoint text, model text, service_tier text, usage jsonb, started_at timestamptz)
cross join lateral
    app.price_usage(null, c.endpoint, c.model, null, c.service_tier, false, c.usage, null, c.started_at) p
"""
MANY = """
select app.price_calls(array(select s from jsonb_populate_recordset(null::app.settlement, %s::jsonb) s))
"""


def median_us(run: Callable[[], object], times: int) -> float:
    """Microseconds of one run, the median of `times` after a warm-up."""
    taken = []
    for n in range(times + 10):
        start = time.perf_counter()
        run()
        if n >= 10:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def batch(size: int) -> str:
    """`size` calls of four kinds, a second apart, as app.price_calls takes them."""
    rows = []
    for n in range(size):
        endpoint, model, tier, usage = CALLS[n % len(CALLS)]
        moment = f"2026-11-01T00:{n // 60:02}:{n % 60:02}Z"
        rows.append({"endpoint": endpoint, "model": model, "service_tier": tier, "usage": usage, "started_at": moment})
    return json.dumps(rows)


def database(cluster: Cluster) -> psycopg.Connection:
    """The product's database in a fresh cluster, as its owner."""
    with psycopg.connect(cluster.dsn(SUPERUSER, "temporary")) as conn:
        for file in ("supabase.sql", "local_auth.sql"):
            conn.execute((ROOT / "db" / file).read_text())
        conn.execute("alter role postgres password 'temporary'")
    migrate(cluster.dsn("postgres", "temporary"))
    return psycopg.connect(cluster.dsn("postgres", "temporary"), autocommit=True, prepare_threshold=0)


def measure(conn: psycopg.Connection, times: int) -> None:
    """Print the figures of one server."""
    trip = median_us(lambda: conn.execute("select 1").fetchall(), times)
    for endpoint, model, tier, usage in CALLS:
        one = median_us(lambda: conn.execute(ONE, [endpoint, model, tier, json.dumps(usage)]).fetchall(), times)  # noqa: B023
        print(f"  price_usage, one call, {model:24} {one - trip:7.0f} µs")
    for name, query in (("price_calls", MANY), ("price_usage in a join", LATERAL)):
        for size in BATCHES:
            rows = batch(size)
            taken = median_us(lambda: conn.execute(query, [rows]).fetchall(), times // 3) - trip  # noqa: B023
            print(f"  {name}, batch of {size}:".ljust(49) + f"{taken / size:7.0f} µs per call")


def main() -> None:
    """Measure on the wheel's Postgres and on Debian's, where there is one."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    found = {find_bindir(), *(path for path in Path("/usr/lib/postgresql").glob("*/bin"))}
    for bindir in sorted(found, key=major):
        with temporary(bindir) as cluster, database(cluster) as conn:
            print(f"Postgres {major(bindir)}, select 1 taken off")
            measure(conn, times)


if __name__ == "__main__":
    main()
