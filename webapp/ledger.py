"""The ledger: opens and settles calls in Postgres, many callers in one statement and one commit.

Each worker has two batchers, one that opens and one that settles, each with its own connection. Callers hand in a
message and sleep; the batcher takes everything that is waiting, sends it as one statement, and wakes each caller with
its own answer after the commit. While one batch is under way the next gathers, so nobody waits for a timer. Nothing
else talks to ``app.open_calls`` and ``app.settle_calls``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import gevent
import psycopg
from gevent.event import Event
from psycopg.rows import dict_row

from webapp import db
from webapp.config import Config

log = logging.getLogger("spendai.ledger")
BATCH = 256
DEADLINE = 5.0  # seconds; also holds when the server is frozen and cannot enforce a time-out of its own


class LedgerUnavailable(Exception):
    """The database did not take the message in time, or cannot be reached."""


class LedgerRefused(Exception):
    """The database refuses this one message, whatever the others of its batch."""


class _Batch:
    """Messages that travel together, and the moment they are done."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any] | Exception] = []
        self.done = Event()


class Batcher:
    """Sends messages to one SQL function, as many as are waiting at a time."""

    def __init__(self, connect: Callable[[], psycopg.Connection], statement: str, args: tuple[Any, ...] = ()) -> None:
        self._connect, self._statement, self._args = connect, statement, args
        self._conn: psycopg.Connection | None = None
        self._next, self._wanted = _Batch(), Event()
        self._loop = gevent.spawn(self._run)

    def submit(self, message: dict[str, Any]) -> dict[str, Any]:
        """Hand in one message; returns its answer after the commit. Raises LedgerUnavailable or LedgerRefused."""
        if len(self._next.messages) >= BATCH:
            self._next.done.wait()
        batch = self._next
        n = len(batch.messages)
        batch.messages.append(message | {"n": n})
        self._wanted.set()
        batch.done.wait()
        answer = batch.answers[n]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Stop; callers that still wait get LedgerUnavailable."""
        self._loop.kill()
        self._fail(self._next, LedgerUnavailable("the gateway is stopping"))
        self._drop()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            batch, self._next = self._next, _Batch()
            if batch.messages:
                self._send(batch)

    def _send(self, batch: _Batch) -> None:
        try:
            batch.answers = list(self._execute(batch.messages))
            batch.done.set()
        except psycopg.errors.OperationalError as error:
            self._drop()
            log.error("ledger: %s", type(error).__name__)
            self._fail(batch, LedgerUnavailable("the database cannot be reached"))
        except gevent.Timeout:
            self._drop()
            log.error("ledger: no answer within %s s", DEADLINE)
            self._fail(batch, LedgerUnavailable("the database does not answer"))
        except Exception as error:  # one poisoned message must not take the others with it
            if isinstance(error, psycopg.InterfaceError):
                self._drop()
            self._one_by_one(batch, error)

    def _one_by_one(self, batch: _Batch, error: Exception) -> None:
        if len(batch.messages) == 1:
            code = getattr(error, "sqlstate", None) or type(error).__name__
            log.error("ledger: a message was refused: %s", code)
            self._fail(batch, LedgerRefused(str(code)))
            return
        for message in batch.messages:
            single = _Batch()
            single.messages = [message | {"n": 0}]
            self._send(single)
            batch.answers += single.answers
        batch.done.set()

    def _execute(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with gevent.Timeout(DEADLINE):
            if self._conn is None or self._conn.closed:
                self._conn = self._connect()
            rows = self._conn.execute(self._statement, [json.dumps(messages), *self._args]).fetchall()
        answers = {row["n"]: row for row in rows}
        return [answers[n] for n in range(len(messages))]

    def _drop(self) -> None:
        """Close the connection for good: after a time-out its statement may still be running."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    @staticmethod
    def _fail(batch: _Batch, error: Exception) -> None:
        batch.answers = [error] * len(batch.messages)
        batch.done.set()


class Ledger:
    """``open`` before a call goes upstream, ``settle`` before its answer ends."""

    def __init__(self, config: Config) -> None:
        dsn = db.dsn(config, "spendai_proxy")
        prepare = 1 if config.database_prepared else None

        def connect() -> psycopg.Connection:
            conn = psycopg.connect(dsn, autocommit=True, row_factory=dict_row, application_name="spendai ledger")
            conn.prepare_threshold = prepare
            return conn

        def connect_opener() -> psycopg.Connection:
            conn = connect()
            for month in ("now()", "now() + interval '1 month'"):  # migrate makes them ahead; this is the safety net
                conn.execute(f"select app.ensure_partition(({month})::date)")
            if config.openai_api_key:
                conn.execute("select app.adopt_install_key(%s)", [config.openai_api_key_shared])
            return conn

        serves = "none" if not config.openai_api_key else "shared" if config.openai_api_key_shared else "first"
        self._opener = Batcher(connect_opener, "select * from app.open_calls(%s::jsonb, %s)", (serves,))
        self._settler = Batcher(connect, "select * from app.settle_calls(%s::jsonb)")

    def open(self, message: dict[str, Any]) -> dict[str, Any]:
        """Write the open row of a call; the answer's ``outcome`` says whether it may go upstream (see open_calls)."""
        return self._opener.submit(message)

    def settle(self, message: dict[str, Any]) -> str:
        """Price and close a call; returns settled, already or missing (see settle_calls)."""
        return self._settler.submit(message)["outcome"]

    def close(self) -> None:
        """Stop both batchers."""
        self._opener.close()
        self._settler.close()
