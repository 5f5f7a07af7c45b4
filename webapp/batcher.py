"""Group commit: messages of many callers in one statement and one commit.

Callers hand in a message and sleep; the batcher takes everything that is waiting, sends it as one statement, and wakes
each caller with its own answer after the commit. While one batch is under way the next gathers. A batch also gathers
while there is anything else to do: calls that are at hand now travel together, and a worker without work sends at once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import gevent
import orjson
import psycopg
from gevent.event import Event

from webapp.statement import Statement

log = logging.getLogger("spendai.ledger")
BATCH = 256
GATHER_SECONDS = 0.006  # at most, while the worker is busy
Message = dict[str, Any]
DEADLINE = 5.0  # seconds; also holds when the server is frozen and cannot enforce a time-out of its own
# What Postgres holds against a message itself: values (21, 22), row (23), size (54), rules of ours (P0, PT).
# Everything else says something about the server: away, full, read-only after a failover, not migrated, overloaded.
REFUSALS = ("21", "22", "23", "54", "P0", "PT")


class LedgerUnavailable(Exception):
    """The database did not take a message in time, or cannot be reached. ``sent``: it may have got it all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class LedgerRefused(Exception):
    """The database refuses this one message, whatever the others of its batch."""


def refuses(error: Exception) -> bool:
    """Whether an error condemns the message; any other may be gone at the next try."""
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "")[:2] in REFUSALS
    return isinstance(error, (TypeError, ValueError))


def encoded(messages: list[Message]) -> bytes:
    """Messages as Postgres takes them: JSON in UTF-8."""
    try:
        return orjson.dumps(messages)  # in a tenth of the time
    except TypeError:  # a count of more than 64 bits
        return json.dumps(messages).encode()


class _Batch:
    """Messages that travel together, and the moment they are done."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: list[Message | Exception] = []
        self.done = Event()


class Batcher:
    """Sends messages to one SQL function, as many as are waiting at a time.

    connect: makes the statement on a new connection; its first parameter are the messages, ``args`` the others.
    """

    def __init__(self, connect: Callable[[], Statement], args: tuple[bytes | None, ...] = ()) -> None:
        self._connect, self._args = connect, args
        self._conn: Statement | None = None
        self._next, self._wanted, self._closed = _Batch(), Event(), False
        self._loop = gevent.spawn(self._run)

    def submit(self, message: Message, seconds: float | None = None) -> Message:
        """Hand in one message; returns its answer after the commit. Raises LedgerUnavailable or LedgerRefused."""
        while len(self._next.messages) >= BATCH and not self._closed:
            self._next.done.wait()
        if self._closed:
            raise LedgerUnavailable("the gateway is stopping", sent=False)
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
        self._closed = True
        self._loop.kill()
        self._fail(self._next, LedgerUnavailable("the gateway is stopping", sent=False))
        self._drop()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            with gevent.Timeout(GATHER_SECONDS, False):
                gevent.idle()
            batch, self._next = self._next, _Batch()
            if batch.messages:
                self._send(batch)

    def _send(self, batch: _Batch) -> None:
        known = self._conn is not None
        try:
            batch.answers = self._try_twice(batch.messages) if known else self._execute(batch.messages)
            batch.done.set()
        except (Exception, gevent.Timeout) as error:
            if refuses(error):  # one poisoned message must not take the others with it
                self._one_by_one(batch, error)
                return
            sent = known or self._conn is not None  # without a connection nothing was sent
            self._drop()
            log.error("the database does not answer: %s", getattr(error, "sqlstate", None) or type(error).__name__)
            self._fail(batch, LedgerUnavailable("the database does not answer", sent=sent))

    def _try_twice(self, messages: list[Message]) -> list[Message]:
        """A connection that broke while it was idle says so only now; a new one may do, after a failover elsewhere."""
        try:
            return self._execute(messages)
        except psycopg.OperationalError:
            if self._conn is None or not self._conn.closed:
                raise
            return self._execute(messages)

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
                self._drop()
                self._conn = self._connect()
            rows = self._conn.run([encoded(messages), *self._args])
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
