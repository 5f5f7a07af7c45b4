"""What stands between us and Postgres: nothing, or a pooler with connections per session, transaction or statement.

A pooler shows itself by the process number: it tells its clients one of its own, Postgres tells the real one. Its mode
shows when a second client gets the connection that the first, still there, has just used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Literal

import psycopg

PATIENCE = 5  # seconds for the second client's connection
TRIES = 5  # on a busy pooler somebody else may get the connection first
Mode = Literal["direct", "session", "transaction", "statement", "full"]
PID = "select pg_backend_pid()"


def mode(dsn: str) -> Mode:
    """How connections of this string are pooled. "full": the pooler has no second one for us. Raises psycopg.Error."""
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None, connect_timeout=PATIENCE) as first:
        for _ in range(TRIES):
            used = first.execute(PID).fetchone()
            if used == (first.info.backend_pid,):
                return "direct"
            try:
                if _second(dsn) == used:
                    return "transaction"
            except psycopg.errors.ProtocolViolation:  # PgBouncer: no transaction blocks in statement pooling mode
                return "statement"
            except Late:
                return "full"
        return "session"


def _second(dsn: str) -> tuple[int] | None:
    """Process number that another client sees inside a transaction; Late when it gets no connection."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_in_a_transaction, dsn).result(PATIENCE)
    finally:
        pool.shutdown(wait=False)  # the one that waits goes on when the first has left


def _in_a_transaction(dsn: str) -> tuple[int] | None:
    with psycopg.connect(dsn, prepare_threshold=None, connect_timeout=PATIENCE) as second:
        return second.execute(PID).fetchone()
