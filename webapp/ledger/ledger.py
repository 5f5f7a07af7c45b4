"""Opens and settles calls in Postgres: the only code that runs the functions in QUERIES.

Each worker process has one Ledger with one database connection. The batcher (batcher.py) sends the messages of many
calls in one transaction. A settle message that Postgres does not commit within SETTLE_SECONDS is written to the
spool (spool.py) and retried; so are the calls that are still running when the worker stops.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import gevent
import psycopg

from webapp import db
from webapp.config import Config
from webapp.ledger.batcher import Batcher, LedgerRefused, LedgerUnavailable, Message
from webapp.ledger.pipeline import Statements
from webapp.ledger.spool import Spool, can_write, replay
from webapp.metrics.measured import REPLAYED, SETTLE_PROBLEMS
from webapp.secrets.provider_keys import fingerprint, last4

__all__ = ["Ledger", "LedgerRefused", "LedgerUnavailable"]
log = logging.getLogger("spendai.ledger")
# Replaces what was read from OpenAI's answer when Postgres rejects it: the call is settled with unknown cost.
UNREADABLE = {"outcome": "no_usage", "usage": None, "tools": None, "model": None, "upstream_object_id": None}
UNREADABLE |= {"openai_project": None}
SETTLE, OPEN, CHECK, END, REFUSALS = "settle", "open", "check", "end", "refusals"
QUERIES = {
    SETTLE: "select * from app.settle_calls($1::jsonb)",
    OPEN: "select * from app.open_calls($1::jsonb, $2, $3)",
    CHECK: "select * from app.check_keys($1::jsonb)",
    END: "select * from app.end_sessions($1::jsonb)",
    REFUSALS: "select * from app.count_refusals($1::jsonb)",
}
END_TRIES = 60  # to note the end of a session; its row then says that the end is not known
OPEN_SECONDS = 10.0  # longest wait for the commit of an open; then the call is refused
SETTLE_SECONDS = 1.0  # longest wait for the commit of a settle; then the message is spooled
REFUSING_SECONDS = 10.0  # after the last call that could not be opened: see Ledger.refusing
# A call without a row this long after its start will never get one: open_calls refuses start times older than 60 s.
LATE_SECONDS = 90


class Ledger:
    """The ledger of one worker: ``open`` a call before it is sent to OpenAI, ``settle`` it before its answer ends."""

    def __init__(self, config: Config) -> None:
        self._config, self._dsn = config, db.dsn(config, "spendai_proxy")
        self._install = fingerprint(config, config.openai_api_key) if config.openai_api_key else None
        key = [config.install_key.encode(), self._install and b"\\x" + self._install.hex().encode()]
        kinds = {SETTLE: [], OPEN: key, CHECK: [], END: [], REFUSALS: []}
        self._batcher = Batcher(self._connect, kinds, alone=lambda: len(self._running) < 2)
        folder = config.home / "spool"
        self._spool = Spool(folder, self._settle_late)
        # id of each running call → returns the settle message that ``close`` spools for it
        self._running: dict[str, Callable[[], Message]] = {}
        self.replayed = False
        self._refused_at: float | None = None  # when that last happened; None: never, or an open has worked since
        self._replay = gevent.spawn(self._replay_all, folder)

    def _connect(self) -> Statements:
        conn = psycopg.connect(self._dsn, autocommit=True, prepare_threshold=None, application_name="spendai ledger")
        for month in ("now()", "now() + interval '1 month'"):  # in case `flask migrate` has not run for long
            conn.execute(f"select app.ensure_partition(({month})::date)")
        key, shared = self._config.openai_api_key, self._config.openai_api_key_shared
        if key:
            conn.execute("select app.adopt_install_key(%s)", [shared])
        told = [shared, self._install, last4(key or ""), self._config.openai_base_url]
        conn.execute("select app.install_key_version(%s, %s, %s, %s)", told)
        return Statements(conn, QUERIES, prepared=self._config.database_prepared)

    @property
    def running(self) -> int:
        """How many calls are under way in this worker."""
        return len(self._running)

    @property
    def refusing(self) -> bool:
        """Whether the database did not commit the last open, as with a full disk, or clocks differ; other refusals do
        not count. Only for REFUSING_SECONDS: whoever heeds it sends no call that could end it."""
        return self._refused_at is not None and time.monotonic() - self._refused_at < REFUSING_SECONDS

    @property
    def spooled(self) -> int:
        """How many ended calls of this worker wait to be settled."""
        return self._spool.waiting

    def open(self, message: Message, stopped: Callable[[], Message]) -> Message:
        """Commit the open row of a call; returns the row that app.open_calls returned for it.

        The call may be sent only if the row's ``outcome`` is opened. stopped: makes the settle message that is spooled
        if the worker stops while the call runs. Raises LedgerUnavailable or LedgerRefused.
        """
        self._running[message["id"]] = partial(_never_sent, message)
        try:
            answer = self._batcher.submit(OPEN, message, OPEN_SECONDS)
        except (LedgerUnavailable, LedgerRefused) as error:
            if isinstance(error, LedgerUnavailable):
                self._refused_at = time.monotonic()
                if error.sent:  # the row may exist: settle it later as not sent
                    self._keep(_never_sent(message))
            self._running.pop(message["id"], None)
            raise
        if answer["outcome"] == "opened":
            self._refused_at = None
            self._running[message["id"]] = stopped
        else:
            if answer["outcome"] == "clock_skew":
                self._refused_at = time.monotonic()
            del self._running[message["id"]]
        return answer

    def check(self, key_hash: bytes) -> str:
        """``valid``, or why a key opens no call: an outcome of app.check_keys. Nothing is written.

        Raises LedgerUnavailable or LedgerRefused.
        """
        return self._batcher.submit(CHECK, {"key_hash": key_hash.hex()}, OPEN_SECONDS)["outcome"]

    def begin_session(self, message: Message) -> Message:
        """Commit the row of a session over WebSocket; returns the row that app.open_calls returned for it.

        Raises LedgerUnavailable or LedgerRefused.
        """
        return self._batcher.submit(OPEN, message | {"begins_session": True}, OPEN_SECONDS)

    def end_session(self, message: Message) -> None:
        """Note how a session ended. While the database does not answer this is retried, as long as the worker runs.

        Nobody waits for that: a worker that is told to stop has no session left to wait for.
        """
        if not self._ended(message):
            gevent.spawn(self._end_later, message)

    def _end_later(self, message: Message) -> None:
        for _ in range(END_TRIES):
            gevent.sleep(1)
            if self._ended(message):
                return

    def _ended(self, message: Message) -> bool:
        """Whether the end of a session is noted, or never will be."""
        try:
            self._batcher.submit(END, message, SETTLE_SECONDS)
        except LedgerUnavailable:
            return False
        except LedgerRefused:
            log.error("session=%s: the database rejects the note of its end", message["id"])
        return True

    def count_refusals(self, calls: Mapping[bytes, int]) -> None:
        """Add to how many calls of each key, by its hash, were refused today. Raises as ``check`` does."""
        self._batcher.submit(REFUSALS, {"calls": {key.hex(): n for key, n in calls.items()}}, OPEN_SECONDS)

    def settle(self, message: Message) -> str:
        """Price and close a call. Returns the outcome of app.settle_calls (settled, already, missing, conflict), or:

        refused: Postgres rejects the message or lacks the organization; the message is set aside, the call stays in
        doubt. spooled: on disk, to be retried. kept: only in memory because the disk failed, to be retried. Raises
        nothing.
        """
        self._running[message["id"]] = partial(dict, message)
        try:
            outcome = self._settle_now(message, SETTLE_SECONDS)
        except LedgerUnavailable:
            outcome = "spooled" if self._keep(message) else "kept"
        self._running.pop(message["id"], None)
        return outcome

    def _keep(self, message: Message) -> bool:
        """Spool the settle message of a call, unless ``close`` did so meanwhile. Returns whether it is on disk."""
        return message["id"] not in self._running or self._spool.append(message)

    def _settle_late(self, message: Message) -> bool:
        """Settle a spooled message. False: the call has no row yet, but its delayed open may still create one."""
        age = datetime.now(UTC) - datetime.fromisoformat(message["started_at"])
        outcome = self._settle_now(message)
        # Not those that were settled before: after a worker was killed, its whole file is delivered again.
        REPLAYED.add(outcome in ("settled", "missing"))
        SETTLE_PROBLEMS["refused"].add(outcome == "refused")
        return outcome != "absent" or age.total_seconds() > LATE_SECONDS

    def _settle_now(self, message: Message, seconds: float | None = None) -> str:
        try:
            outcome = self._batcher.submit(SETTLE, message, seconds)["outcome"]
        except LedgerRefused:
            outcome = self._settle_unread(message, seconds)
        if outcome not in ("unknown", "refused"):
            return outcome
        kept = "the database rejects its settle message, which is kept in rejected.lines of the spool"
        log.error("call=%s stays in doubt: %s", message["id"], kept)
        self._spool.set_aside(message)
        return "refused"

    def _settle_unread(self, message: Message, seconds: float | None) -> str:
        """Settle without what was read from OpenAI's answer, which may be what Postgres rejects."""
        try:
            return self._batcher.submit(SETTLE, message | UNREADABLE, seconds)["outcome"]
        except LedgerRefused:
            return "refused"

    def _replay_all(self, folder: Path) -> None:
        """Settle the messages in the spool files of earlier runs; retries until database and files can be used."""
        if not can_write(folder):
            log.error(
                "%s cannot be written: calls that the database does not take would be kept in memory only", folder
            )
        said = ""
        while not self.replayed:
            try:
                if count := replay(folder, self._settle_late, self._spool.append):
                    log.warning("calls delivered from the spool of an earlier run: %s", count)
                self.replayed = True
            except BlockingIOError:  # another worker is replaying
                gevent.sleep(0.05)
            except LedgerUnavailable:
                gevent.sleep(1)
            except OSError as error:  # as with a file that another user owns: /readyz is 503 until somebody mends it
                if str(error) != said:
                    said = str(error)
                    log.error("the spool of an earlier run cannot be read, so calls in it are not settled: %s", error)
                gevent.sleep(1)

    def close(self) -> None:
        """Stop without waiting for the database: running calls are spooled, and settled by the next start."""
        self._replay.kill()
        self._batcher.close()
        for left in self._running.values():
            self._spool.put(left())
        self._running.clear()
        self._spool.close()


def _never_sent(message: Message) -> Message:
    """The settle message of a call that was not sent to OpenAI: cost 0, status 503."""
    return {name: message[name] for name in ("id", "started_at", "max_seconds")} | {
        "outcome": "error",
        "status_code": 503,
    }
