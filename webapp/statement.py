"""One SQL statement on a connection of its own, sent again and again straight through libpq.

A cursor of psycopg costs three times as much: it looks at types of parameters, results and prepared statements anew
each time. Waits are gevent's, so other calls go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import psycopg
from psycopg import pq

NAME = b"spendai"
READ, WRITE = 1, 2  # of the event loop
FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.NONFATAL_ERROR)
Row = dict[str, Any]
# By the type's number in Postgres, from its text form; all others stay text.
READERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",
    17: lambda value: bytes.fromhex(value[2:].decode()),
    23: int,
}


class Statement:
    """``run(parameters)`` on an autocommit connection; ``close()`` closes that too. One run at a time.

    query: with $1, $2, … ; prepared: whether the server may keep it between runs (a pooler may not).
    """

    def __init__(self, conn: psycopg.Connection, query: str, *, prepared: bool) -> None:
        self._conn, self._pgconn, self._query = conn, conn.pgconn, query.encode()
        self._wanted, self._prepared = prepared, False
        self._hub, fd = gevent.get_hub(), conn.fileno()
        self._readable = self._hub.loop.io(fd, READ)
        self._both = self._hub.loop.io(fd, READ | WRITE)
        self._columns: list[tuple[int, str, Callable[[bytes], Any]]] = []

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._conn.closed

    def run(self, parameters: list[bytes | None]) -> list[Row]:
        """Rows as dicts: booleans, bytes and integers as such, anything else as text. Raises psycopg.Error."""
        if self._wanted and not self._prepared:
            self._pgconn.send_prepare(NAME, self._query)
            self._finish()
            self._prepared = True
        if self._prepared:
            self._pgconn.send_query_prepared(NAME, parameters)
        else:
            self._pgconn.send_query_params(self._query, parameters)
        return self._rows(self._finish())

    def _finish(self) -> pq.abc.PGresult:
        """Wait for the answer; the last result of the statement."""
        pgconn, result = self._pgconn, None
        while pgconn.flush():
            self._hub.wait(self._both)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                self._hub.wait(self._readable)
                pgconn.consume_input()
            if (found := pgconn.get_result()) is None:
                break
            result = found
        if result is None:
            raise psycopg.OperationalError("the server gave no answer")
        if result.status in FAILED:
            raise _error(result)
        return result

    def _rows(self, result: pq.abc.PGresult) -> list[Row]:
        if not self._columns:
            self._columns = [
                (n, result.fname(n).decode(), READERS.get(result.ftype(n), bytes.decode)) for n in range(result.nfields)
            ]
        get = result.get_value
        return [
            {name: None if (value := get(row, n)) is None else read(value) for n, name, read in self._columns}
            for row in range(result.ntuples)
        ]

    def close(self) -> None:
        """Close the connection for good: what it was asked last may still be running."""
        self._readable.close()
        self._both.close()
        self._conn.close()


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """What the server said, as psycopg's exception for its SQLSTATE."""
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        kind = psycopg.OperationalError if not state else psycopg.DatabaseError
    error = kind(message)
    error.sqlstate = state or None
    return error
