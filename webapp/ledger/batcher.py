"""Group commit: the messages of many callers in one transaction.

A caller submits a message and waits. The message joins the waiting batch of its kind. One greenlet sends the batches
one after the other, the oldest first, and after the commit wakes each caller with its own answer. Before it sends, it
lets other greenlets run for up to GATHER_SECONDS, so that a busy worker collects more messages; a call that is alone in
its worker is sent at once.

Each batch has a transaction; small ones that follow each other share one (TOGETHER). So the opens and the settles of a
busy worker take turns: while settles are committed opens gather, also those of clients whose calls have just been
settled. Each statement gets up to twice as many messages, and a large one costs less for each: the first message of a
statement takes Postgres as long as the next five to ten.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import orjson
import psycopg
from gevent.event import Event

from webapp.ledger.pipeline import Parameters, Statements
from webapp.metrics import measured

log = logging.getLogger("spendai.ledger")
BATCH = 256  # messages in one transaction, at most
TOGETHER = 3  # messages of a transaction that has several batches, at most
GATHER_SECONDS = 0.006
Message = dict[str, Any]
# Seconds for one transaction. The client measures them: a frozen server cannot enforce its own statement_timeout.
DEADLINE = 5.0
# SQLSTATE classes that mean the message itself is bad: invalid values (21, 22), violated constraints (23), exceeded
# size limits (54), errors raised by SpendAI's own functions (P0, PT). All other classes are about the state of the
# server (unreachable, disk full, read-only after a failover, not migrated, overloaded), so a retry may succeed.
BAD_MESSAGE = ("21", "22", "23", "54", "P0", "PT")


class LedgerUnavailable(Exception):
    """The database did not confirm a message in time, or is unreachable. ``sent``: it may have the message anyway."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class LedgerRefused(Exception):
    """The database rejected this one message as invalid; a retry would fail in the same way."""


def is_bad_message(error: Exception) -> bool:
    """Whether an error means that a message is invalid, so that a retry would fail in the same way."""
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "")[:2] in BAD_MESSAGE
    return isinstance(error, (TypeError, ValueError))


def encoded(messages: list[Message]) -> bytes:
    """A JSON array of messages in UTF-8, the argument of the SQL functions."""
    try:
        return orjson.dumps(messages)  # ten times as fast as json.dumps
    except TypeError:  # orjson refuses integers of more than 64 bits
        return json.dumps(messages).encode()


class _Entry:
    """One submitted message: ``kind`` names its statement, ``answer`` is what its caller will get."""

    def __init__(self, kind: str, message: Message) -> None:
        self.kind, self.message = kind, message
        self.answer: Message | Exception | None = None


class _Batch:
    """Messages of one kind that are sent together; ``done`` is set when every one of them has its answer."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: list[_Entry] = []
        self.done = Event()

    def stop(self, *, sent: bool) -> None:
        """Wake every caller with LedgerUnavailable."""
        _fail(self.entries, LedgerUnavailable("the gateway is stopping", sent=sent))
        self.done.set()


class Batcher:
    """Sends batches of messages to SQL functions over one connection.

    connect: opens a connection and returns its Statements.
    kinds: name of each statement → its parameters after $1, which is the array of messages. The statements of a
    transaction run in this order. alone: whether nobody else can submit a message soon.
    """

    def __init__(
        self, connect: Callable[[], Statements], kinds: dict[str, Parameters], alone: Callable[[], bool] = lambda: False
    ) -> None:
        self._connect, self._kinds, self._alone = connect, kinds, alone
        self._conn: Statements | None = None
        self._waiting: deque[_Batch] = deque()  # in the order of their first messages
        self._under_way: list[_Batch] = []
        self._wanted, self._closed = Event(), False
        self._loop = gevent.spawn(self._run)

    def submit(self, kind: str, message: Message, seconds: float | None = None) -> Message:
        """Submit one message and wait for the commit; returns the row that the SQL function returned for it.

        seconds: the longest wait; None: no limit. Raises LedgerRefused or LedgerUnavailable; ``sent`` tells whether the
        message may still be committed after a time-out.
        """
        if self._closed:
            raise LedgerUnavailable("the gateway is stopping", sent=False)
        batch, entry = self._batch_with_room(kind), _Entry(kind, message)
        batch.entries.append(entry)
        self._wanted.set()
        if not batch.done.wait(seconds):
            raise LedgerUnavailable("the database is slow", sent=not self._withdraw(batch, entry))
        if isinstance(entry.answer, Exception):
            raise entry.answer
        if self._closed:  # Ledger.close has already spooled this call, without this answer
            raise LedgerUnavailable("the gateway is stopping", sent=True)
        return entry.answer

    def _batch_with_room(self, kind: str) -> _Batch:
        """The batch for the next message. The number of waiting batches is not limited: no caller waits for room."""
        for batch in reversed(self._waiting):
            if batch.kind == kind and len(batch.entries) < BATCH:
                return batch
        self._waiting.append(_Batch(kind))
        return self._waiting[-1]

    def _withdraw(self, batch: _Batch, entry: _Entry) -> bool:
        """Remove a message from a waiting batch, so that an outage leaves no queue behind. False: it was sent."""
        if batch not in self._waiting:
            return False
        batch.entries.remove(entry)
        if not batch.entries:
            self._waiting.remove(batch)
        return True

    def close(self) -> None:
        """Stop sending. Every waiting caller gets LedgerUnavailable."""
        self._closed = True
        self._loop.kill()
        for batch in self._under_way:
            batch.stop(sent=True)
        for batch in self._waiting:
            batch.stop(sent=False)
        self._waiting.clear()
        self._drop()

    def _run(self) -> None:
        while True:
            while not self._waiting:
                self._wanted.clear()
                self._wanted.wait()
            if not self._alone():
                with gevent.Timeout(GATHER_SECONDS, False):
                    gevent.idle()
            if not self._waiting:  # every caller has given up meanwhile
                continue
            self._under_way = self._next()
            self._send([entry for batch in self._under_way for entry in batch.entries])
            for batch in self._under_way:
                batch.done.set()
            self._under_way = []

    def _next(self) -> list[_Batch]:
        """Take the batches of the next transaction: the first, and those right after it up to TOGETHER messages."""
        taken = [self._waiting.popleft()]
        room = TOGETHER - len(taken[0].entries)
        while self._waiting and len(self._waiting[0].entries) <= room:
            taken.append(self._waiting.popleft())
            room -= len(taken[-1].entries)
        return taken

    def _send(self, entries: list[_Entry]) -> None:
        known = self._conn is not None
        try:
            self._execute_or_reconnect(entries) if known else self._execute(entries)
        except (Exception, gevent.Timeout) as error:
            if is_bad_message(error):
                self._send_separately(entries, error)
                return
            sent = known or self._conn is not None  # False: the connection could not be opened
            self._drop()
            measured.LEDGER_FAILURES.add()
            log.error("the database does not answer: %s", getattr(error, "sqlstate", None) or type(error).__name__)
            _fail(entries, LedgerUnavailable("the database does not answer", sent=sent))

    def _execute_or_reconnect(self, entries: list[_Entry]) -> None:
        """Execute; once more on a new connection when the old one broke while it was idle, as after a failover, or was
        closed because a month has no partition."""
        try:
            self._execute(entries)
        except (psycopg.OperationalError, psycopg.errors.CheckViolation):
            if self._conn is None or not self._conn.closed:
                raise
            self._execute(entries)

    def _send_separately(self, entries: list[_Entry], error: Exception) -> None:
        """Find the bad message of a failed batch: send each kind by itself, then each message by itself."""
        if len(entries) == 1:
            code = getattr(error, "sqlstate", None) or type(error).__name__
            log.error("the database rejected a ledger message: %s", code)
            _fail(entries, LedgerRefused(str(code)))
            return
        parts = [part for kind in self._kinds if (part := [entry for entry in entries if entry.kind == kind])]
        for part in parts if len(parts) > 1 else [[entry] for entry in entries]:
            self._send(part)

    def _execute(self, entries: list[_Entry]) -> None:
        calls, parts = {}, []
        for kind, others in self._kinds.items():
            if part := [entry for entry in entries if entry.kind == kind]:
                parts.append(part)
                calls[kind] = [encoded([entry.message | {"n": n} for n, entry in enumerate(part)]), *others]
        with gevent.Timeout(DEADLINE):
            if self._conn is None or self._conn.closed:
                self._drop()
                try:
                    self._conn = self._connect()
                except (psycopg.Error, ValueError) as error:  # whatever it is, no message is to blame
                    raise psycopg.OperationalError(f"the ledger cannot connect: {type(error).__name__}") from error
            began = time.monotonic()
            answers = self._conn.run(calls)
        measured.COMMIT.observe(time.monotonic() - began)
        measured.BATCH.observe(len(entries))
        for part, rows in zip(parts, answers.values(), strict=True):
            by_number = {row["n"]: row for row in rows}
            for n, entry in enumerate(part):
                entry.answer = by_number[n]

    def _drop(self) -> None:
        """Close the connection. It is not reused: after a time-out its statement may still be running."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def _fail(entries: list[_Entry], error: Exception) -> None:
    for entry in entries:
        entry.answer = error
