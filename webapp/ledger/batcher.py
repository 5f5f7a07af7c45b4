"""Group commit: messages of many callers in one transaction.

Callers hand in a message and sleep; the batcher takes everything that is waiting, sends it in one transaction, and
wakes each caller with its own answer after the commit. While one batch is under way the next gathers. A batch also
gathers while there is anything else to do: calls that are at hand now travel together, and a worker without work sends
at once.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import orjson
import psycopg
from gevent.event import Event

from webapp.ledger.pipeline import Parameters, Statements

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


class _Entry:
    """A message for one statement, and its answer."""

    def __init__(self, kind: str, message: Message) -> None:
        self.kind, self.message = kind, message
        self.answer: Message | Exception | None = None


class _Batch:
    """Messages that travel together, and the moment they are done."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.done = Event()

    def stop(self, *, sent: bool) -> None:
        """Wake its callers with LedgerUnavailable."""
        _fail(self.entries, LedgerUnavailable("the gateway is stopping", sent=sent))
        self.done.set()


class Batcher:
    """Sends messages to SQL functions, as many as are waiting at a time, all in one transaction.

    connect: makes the statements on a new connection. kinds: their names in the order in which they run, each with its
    parameters behind the first, which are the messages.
    """

    def __init__(self, connect: Callable[[], Statements], kinds: dict[str, Parameters]) -> None:
        self._connect, self._kinds = connect, kinds
        self._conn: Statements | None = None
        self._waiting: deque[_Batch] = deque()  # full batches, then at most one that is not full
        self._under_way: _Batch | None = None
        self._wanted, self._closed = Event(), False
        self._loop = gevent.spawn(self._run)

    def submit(self, kind: str, message: Message, seconds: float | None = None) -> Message:
        """Hand in one message; returns its answer after the commit. Raises LedgerUnavailable or LedgerRefused.

        seconds: the longest wait, from now to the answer. A message that was given up is sent all the same.
        """
        if self._closed:
            raise LedgerUnavailable("the gateway is stopping", sent=False)
        batch, entry = self._batch_with_room(), _Entry(kind, message)
        batch.entries.append(entry)
        self._wanted.set()
        if not batch.done.wait(seconds):
            raise LedgerUnavailable("the database is slow", sent=True)
        if isinstance(entry.answer, Exception):
            raise entry.answer
        if self._closed:  # meanwhile the caller's call was spooled as it was before the answer
            raise LedgerUnavailable("the gateway is stopping", sent=True)
        return entry.answer

    def _batch_with_room(self) -> _Batch:
        """The batch that the next message goes into. Any number may wait, so that no caller waits for room."""
        if not self._waiting or len(self._waiting[-1].entries) >= BATCH:
            self._waiting.append(_Batch())
        return self._waiting[-1]

    def close(self) -> None:
        """Stop; callers that still wait get LedgerUnavailable."""
        self._closed = True
        self._loop.kill()
        if self._under_way:
            self._under_way.stop(sent=True)
        for batch in self._waiting:
            batch.stop(sent=False)
        self._waiting.clear()
        self._drop()

    def _run(self) -> None:
        while True:
            while not self._waiting:
                self._wanted.wait()
                self._wanted.clear()
            with gevent.Timeout(GATHER_SECONDS, False):
                gevent.idle()
            self._under_way = self._waiting.popleft()
            self._send(self._under_way.entries)
            self._under_way.done.set()
            self._under_way = None

    def _send(self, entries: list[_Entry]) -> None:
        known = self._conn is not None
        try:
            self._try_twice(entries) if known else self._execute(entries)
        except (Exception, gevent.Timeout) as error:
            if refuses(error):
                self._send_apart(entries, error)
                return
            sent = known or self._conn is not None  # without a connection nothing was sent
            self._drop()
            log.error("the database does not answer: %s", getattr(error, "sqlstate", None) or type(error).__name__)
            _fail(entries, LedgerUnavailable("the database does not answer", sent=sent))

    def _try_twice(self, entries: list[_Entry]) -> None:
        """A connection that broke while it was idle says so only now; a new one may do, after a failover elsewhere."""
        try:
            self._execute(entries)
        except psycopg.OperationalError:
            if self._conn is None or not self._conn.closed:
                raise
            self._execute(entries)

    def _send_apart(self, entries: list[_Entry], error: Exception) -> None:
        """One poisoned message must not take the others with it: first each kind goes alone, then each message."""
        if len(entries) == 1:
            code = getattr(error, "sqlstate", None) or type(error).__name__
            log.error("the database refused a message: %s", code)
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
                self._conn = self._connect()
            answers = self._conn.run(calls)
        for part, rows in zip(parts, answers.values(), strict=True):
            by_number = {row["n"]: row for row in rows}
            for n, entry in enumerate(part):
                entry.answer = by_number[n]

    def _drop(self) -> None:
        """Close the connection for good: after a time-out its statement may still be running."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def _fail(entries: list[_Entry], error: Exception) -> None:
    for entry in entries:
        entry.answer = error
