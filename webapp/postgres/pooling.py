"""Finds out whether a connection pooler stands between SpendAI and Postgres, and its mode; for `flask doctor`.

With a pooler, the process number that a client is told when it connects is not the one of pg_backend_pid(). The pooler
is in transaction mode when a second client gets the server connection that a first one, still connected, has just used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Literal

import psycopg

CONNECT_SECONDS = 5  # for a client to get a connection
TRIES = 5  # on a busy pooler another client may get the connection first
Mode = Literal["direct", "session", "transaction", "statement", "full"]
PID = "select pg_backend_pid()"


def mode(dsn: str) -> Mode:
    """How connections made with this string are pooled: "direct" without a pooler, else the pooler's mode.

    "full": the pooler gave no second connection in time, as in session mode with a pool of one. Raises psycopg.Error.
    """
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None, connect_timeout=CONNECT_SECONDS) as first:
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
    """pg_backend_pid() of another client inside a transaction; raises Late when that client gets no connection."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_in_a_transaction, dsn).result(CONNECT_SECONDS)
    finally:
        pool.shutdown(wait=False)  # a client that still waits is served when the first one has disconnected


def _in_a_transaction(dsn: str) -> tuple[int] | None:
    with psycopg.connect(dsn, prepare_threshold=None, connect_timeout=CONNECT_SECONDS) as second:
        return second.execute(PID).fetchone()
