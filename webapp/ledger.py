"""The ledger: opens and settles calls in Postgres, many callers in one statement and one commit.

Each worker has two batchers, one that opens and one that settles, each with its own connection. Callers hand in a
message and sleep; the batcher takes everything that is waiting, sends it as one statement, and wakes each caller with
its own answer after the commit. While one batch is under way the next gathers, so nobody waits for a timer. Nothing
else talks to ``app.open_calls`` and ``app.settle_calls``.

What the database does not take in time goes to the spool (see spool.py) and is settled later.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import psycopg
from gevent.event import Event
from psycopg.rows import dict_row

from webapp import db
from webapp.config import Config
from webapp.provider_keys import fingerprint
from webapp.spool import Spool, replay

log = logging.getLogger("spendai.ledger")
BATCH = 256
Message = dict[str, Any]
UNREADABLE = {"outcome": "no_usage", "usage": None, "tools": None, "model": None, "upstream_object_id": None}
DEADLINE = 5.0  # seconds; also holds when the server is frozen and cannot enforce a time-out of its own
SETTLE_SECONDS = 1.0  # how long a client waits for the commit; then the message is spooled


class LedgerUnavailable(Exception):
    """The database did not take a message in time, or cannot be reached. ``sent``: it may have got it all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class LedgerRefused(Exception):
    """The database refuses this one message, whatever the others of its batch."""


class _Batch:
    """Messages that travel together, and the moment they are done."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: list[Message | Exception] = []
        self.done = Event()


class Batcher:
    """Sends messages to one SQL function, as many as are waiting at a time."""

    def __init__(self, connect: Callable[[], psycopg.Connection], statement: str, args: tuple[Any, ...] = ()) -> None:
        self._connect, self._statement, self._args = connect, statement, args
        self._conn: psycopg.Connection | None = None
        self._next, self._wanted = _Batch(), Event()
        self._loop = gevent.spawn(self._run)

    def submit(self, message: Message, seconds: float | None = None) -> Message:
        """Hand in one message; returns its answer after the commit. Raises LedgerUnavailable or LedgerRefused."""
        while len(self._next.messages) >= BATCH:
            self._next.done.wait()
        batch = self._next
        n = len(batch.messages)
        batch.messages.append(message | {"n": n})
        self._wanted.set()
        if not batch.done.wait(seconds):
            raise LedgerUnavailable("the database is slow", sent=True)
        answer = batch.answers[n]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Stop; callers that still wait get LedgerUnavailable."""
        self._loop.kill()
        self._fail(self._next, LedgerUnavailable("the gateway is stopping", sent=False))
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
            batch.answers = self._execute(batch.messages)
            batch.done.set()
        except (psycopg.errors.OperationalError, gevent.Timeout) as error:
            sent = self._conn is not None  # without a connection nothing was sent
            self._drop()
            log.error("the database does not answer: %s", type(error).__name__)
            self._fail(batch, LedgerUnavailable("the database does not answer", sent=sent))
        except Exception as error:  # one poisoned message must not take the others with it
            if isinstance(error, psycopg.InterfaceError):
                self._drop()
            self._one_by_one(batch, error)

    def _one_by_one(self, batch: _Batch, error: Exception) -> None:
        if len(batch.messages) == 1:
            code = getattr(error, "sqlstate", None) or type(error).__name__
            log.error("the database refused a message: %s", code)
            self._fail(batch, LedgerRefused(str(code)))
            return
        for message in batch.messages:
            single = _Batch()
            single.messages = [message | {"n": 0}]
            self._send(single)
            batch.answers += single.answers
        batch.done.set()

    def _execute(self, messages: list[Message]) -> list[Message]:
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
        self._config, self._dsn = config, db.dsn(config, "spendai_proxy")
        self._opener = Batcher(
            self._connect_opener,
            "select * from app.open_calls(%s::jsonb, %s, %s)",
            (config.install_key, config.openai_api_key and fingerprint(config, config.openai_api_key)),
        )
        self._settler = Batcher(self._connect, "select * from app.settle_calls(%s::jsonb)")
        folder = config.home / "spool"
        self._spool = Spool(folder, self._settle_now)
        self.replayed = False
        self._replay = gevent.spawn(self._replay_all, folder)

    def _connect(self) -> psycopg.Connection:
        conn = psycopg.connect(self._dsn, autocommit=True, row_factory=dict_row, application_name="spendai ledger")
        conn.prepare_threshold = 1 if self._config.database_prepared else None
        return conn

    def _connect_opener(self) -> psycopg.Connection:
        conn = self._connect()
        for month in ("now()", "now() + interval '1 month'"):  # migrate makes them ahead; this is the safety net
            conn.execute(f"select app.ensure_partition(({month})::date)")
        if self._config.openai_api_key:
            conn.execute("select app.adopt_install_key(%s)", [self._config.openai_api_key_shared])
        return conn

    def open(self, message: Message) -> Message:
        """Write the open row of a call; the answer's ``outcome`` says whether it may go upstream (see open_calls)."""
        try:
            return self._opener.submit(message)
        except LedgerUnavailable as error:
            if error.sent:  # the row may be there: close it, since nothing goes upstream
                kept = {key: message[key] for key in ("id", "started_at", "max_seconds")}
                self._spool.append(kept | {"outcome": "error", "status_code": 503})
            raise

    def settle(self, message: Message) -> str:
        """Price and close a call; returns settled, already, missing (see settle_calls) or spooled."""
        try:
            return self._settle_now(message, SETTLE_SECONDS)
        except LedgerUnavailable:
            self._spool.append(message)
            return "spooled"

    def _settle_now(self, message: Message, seconds: float | None = None) -> str:
        try:
            return self._settler.submit(message, seconds)["outcome"]
        except LedgerRefused:  # what the meter read is not to Postgres' liking: the call counts, its cost is unknown
            message = message | UNREADABLE
        try:
            return self._settler.submit(message, seconds)["outcome"]
        except LedgerRefused:
            log.error("call=%s cannot be settled and stays in doubt", message["id"])
            return "refused"

    def _replay_all(self, folder: Path) -> None:
        """Settle what earlier runs left behind, however long the database is away."""
        while not self.replayed:
            try:
                if count := replay(folder, self._settle_now):
                    log.warning("settled %s calls that an earlier run had spooled", count)
                self.replayed = True
            except (LedgerUnavailable, OSError):
                gevent.sleep(1)

    def close(self) -> None:
        """Stop everything; what is still spooled is replayed by the next start."""
        self._replay.kill()
        self._opener.close()
        self._settler.close()
