"""What do the ledger's own libpq statements gain? CPU of one transaction beside cursors of psycopg, all on gevent.

    python bench/ledger_statements.py [rounds]

A transaction is two statements, one for the calls to settle and one for those to open, each with 1, 8 or 32 calls as
JSON and as many rows back. Microseconds of this process' CPU: medians of the rounds, in which the three ways take
turns. The statements do almost nothing in the server, which runs on this machine and is deleted at the end.
"""

# ruff: noqa: E402 (gevent replaces blocking functions before anything else is imported)
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from webapp.ledger.batcher import encoded
from webapp.ledger.pipeline import Row, Statements
from webapp.postgres.cluster import SUPERUSER, temporary

TIMES, BATCHES = 200, (1, 8, 32)
SETTLE = """
select n, 'settled' as outcome
from jsonb_to_recordset($1::jsonb) as m (n int)
"""
OPEN = """
select n, 'opened' as outcome, id::text, id::text as org_id, id::text as project_id, id::text as api_key_id,
    'openai' as upstream, id::text as account, true as shared, ''::bytea as provider_key, null::text as base_url
from jsonb_to_recordset($1::jsonb) as m (n int, id uuid)
"""
Run = Callable[[bytes], list[list[Row]]]  # both statements for these messages, in one transaction; rows of each


def ways(dsn: str) -> dict[str, Run]:
    """Three ways to run a transaction: the ledger's Statements, psycopg's pipeline, psycopg's transaction block."""
    own = Statements(psycopg.connect(dsn, autocommit=True), {"settle": SETTLE, "open": OPEN}, prepared=True)
    conn = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
    settle, opening = SETTLE.replace("$1", "%s"), OPEN.replace("$1", "%s")

    def run_own(data: bytes) -> list[list[Row]]:
        return list(own.run({"settle": [data], "open": [data]}).values())

    def run_pipeline(data: bytes) -> list[list[Row]]:
        text = data.decode()
        with conn.pipeline():
            cursors = [conn.execute(query, [text], prepare=True) for query in (settle, opening)]
            return [cursor.fetchall() for cursor in cursors]

    def run_transaction(data: bytes) -> list[list[Row]]:
        text = data.decode()
        with conn.transaction():
            return [conn.execute(query, [text], prepare=True).fetchall() for query in (settle, opening)]

    return {"libpq": run_own, "psycopg pipeline": run_pipeline, "psycopg transaction": run_transaction}


def cpu_us(run: Run, data: bytes, size: int) -> float:
    """Microseconds of CPU for one transaction."""
    begun = time.process_time()
    for _ in range(TIMES):
        assert [len(rows) for rows in run(data)] == [size, size]
    return (time.process_time() - begun) / TIMES * 1e6


def main(rounds: int) -> None:
    with temporary() as cluster:
        runs = ways(cluster.dsn(SUPERUSER, "temporary"))
        for size in BATCHES:
            data = encoded([{"n": n, "id": str(uuid4()), "endpoint": "/v1/responses"} for n in range(size)])
            taken: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(rounds):
                for name, run in runs.items():
                    taken[name].append(cpu_us(run, data, size))
            figures = (f"{name} {statistics.median(column):.0f} µs" for name, column in taken.items())
            print(f"{size} calls: {', '.join(figures)}")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["9"])[0]))
