"""Prepared statements on one connection, run through libpq's pipeline mode: one round trip and one transaction.

Why not psycopg's cursors: on every execution they determine the types of parameters and results and look up the
prepared statement. Client CPU of a transaction of two statements, one like settle_calls and one like open_calls, by
`python bench/ledger_statements.py`: 15 to 32 µs here against 130 to 154 µs with psycopg's cursors and pipeline (one
call in each statement), 88 µs against 204 µs (32 calls). While a statement runs, gevent runs the other calls of the
worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import psycopg
from psycopg import pq

READ, WRITE = 1, 2  # gevent's names for the events of a descriptor
FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.NONFATAL_ERROR)
Row = dict[str, Any]
Parameters = list[bytes | None]
# OID of a type → converts a value of it from Postgres' text format. Values of other types stay text.
READERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",
    17: lambda value: bytes.fromhex(value[2:].decode()),
    23: int,
}


class Statements:
    """Named statements on one autocommit connection, which is closed with them. Only one ``run`` at a time.

    queries: name → SQL with parameters $1, $2, …
    prepared: whether to use prepared statements; False behind a pooler that gives each transaction another connection.
    """

    def __init__(self, conn: psycopg.Connection, queries: dict[str, str], *, prepared: bool) -> None:
        self._conn, self._pgconn = conn, conn.pgconn
        self._queries = {name: query.encode() for name, query in queries.items()}
        self._wanted, self._prepared = prepared, False
        self._hub, fd = gevent.get_hub(), conn.fileno()
        self._readable = self._hub.loop.io(fd, READ)
        self._both = self._hub.loop.io(fd, READ | WRITE)
        self._columns: dict[str, list[tuple[int, str, Callable[[bytes], Any]]]] = {}
        self._pgconn.enter_pipeline_mode()

    @property
    def closed(self) -> bool:
        """Whether the connection is closed or lost."""
        return self._conn.closed

    def run(self, calls: dict[str, Parameters]) -> dict[str, list[Row]]:
        """Run statements in the given order, in one round trip and one transaction.

        calls: name → parameters in text format. Returns name → rows, each a dict; booleans, bytes and integers are
        converted, all other values are text. Raises psycopg.Error: nothing was committed, unless the error is a lost
        connection, when that is unknown. The connection is closed where a new one may help.
        """
        if self._wanted and not self._prepared:
            for name, query in self._queries.items():
                self._pgconn.send_prepare(name.encode(), query)
            self._finish()
            self._prepared = True
        for name, parameters in calls.items():
            if self._prepared:
                self._pgconn.send_query_prepared(name.encode(), parameters)
            else:
                self._pgconn.send_query_params(self._queries[name], parameters)
        return {name: self._rows(name, result) for name, result in zip(calls, self._finish(), strict=True)}

    def _finish(self) -> list[pq.abc.PGresult]:
        """Send the queued statements as one transaction; wait for and return the result of each."""
        pgconn, results = self._pgconn, []
        pgconn.pipeline_sync()
        while pgconn.flush():
            self._hub.wait(self._both)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                self._hub.wait(self._readable)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:  # libpq returns None after the result of each statement
                if pgconn.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            else:
                results.append(result)
        for result in results:
            if result.status in FAILED:
                error = _error(result)
                # No check is violated: a row is of a month without a partition. Whoever connects makes it (ledger.py).
                if error.sqlstate == "23514" and not result.error_field(pq.DiagnosticField.CONSTRAINT_NAME):
                    self.close()
                raise error
        return results

    def _rows(self, name: str, result: pq.abc.PGresult) -> list[Row]:
        columns = self._columns.get(name)
        if not columns:
            columns = self._columns[name] = [
                (n, result.fname(n).decode(), READERS.get(result.ftype(n), bytes.decode)) for n in range(result.nfields)
            ]
        get = result.get_value
        return [
            {name: None if (value := get(row, n)) is None else read(value) for n, name, read in columns}
            for row in range(result.ntuples)
        ]

    def close(self) -> None:
        """Close the connection and stop watching its socket."""
        self._readable.close()
        self._both.close()
        self._conn.close()


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """The psycopg exception for the SQLSTATE of a failed result, with the server's message."""
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        kind = psycopg.OperationalError if not state else psycopg.DatabaseError
    error = kind(message)
    error.sqlstate = state or None
    return error
