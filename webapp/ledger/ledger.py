"""The ledger: opens and settles calls in Postgres, many callers in one transaction.

Each worker has one batcher (batcher.py) with one connection: what is to settle and what is to open at a time goes into
one transaction. Nothing else talks to ``app.open_calls`` and ``app.settle_calls``.

What the database does not take in time goes to the spool (see spool.py) and is settled later; so does what is under
way when the worker has to stop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import gevent
import psycopg

from webapp import db
from webapp.config import Config
from webapp.ledger.batcher import Batcher, LedgerRefused, LedgerUnavailable, Message
from webapp.ledger.pipeline import Statements
from webapp.ledger.spool import Spool, replay
from webapp.secrets.provider_keys import fingerprint

__all__ = ["Ledger", "LedgerRefused", "LedgerUnavailable"]
log = logging.getLogger("spendai.ledger")
UNREADABLE = {"outcome": "no_usage", "usage": None, "tools": None, "model": None, "upstream_object_id": None}
SETTLE, OPEN = "settle", "open"
QUERIES = {
    SETTLE: "select * from app.settle_calls($1::jsonb)",
    OPEN: "select * from app.open_calls($1::jsonb, $2, $3)",
}
OPEN_SECONDS = 10.0  # how long a client waits for the open row; then its call is refused
SETTLE_SECONDS = 1.0  # how long a client waits for the commit; then the message is spooled
LATE_SECONDS = 90  # an open that the database did not take within 60 s it will never take: it refuses old clocks


class Ledger:
    """``open`` before a call goes upstream, ``settle`` before its answer ends."""

    def __init__(self, config: Config) -> None:
        self._config, self._dsn = config, db.dsn(config, "spendai_proxy")
        install = fingerprint(config, config.openai_api_key) if config.openai_api_key else None
        key = [config.install_key.encode(), install and b"\\x" + install.hex().encode()]
        self._batcher = Batcher(self._connect, {SETTLE: [], OPEN: key})
        folder = config.home / "spool"
        self._spool = Spool(folder, self._settle_late)
        # id of each call under way → makes what is to be spooled if we must stop now
        self._running: dict[str, Callable[[], Message]] = {}
        self.replayed = False
        self._replay = gevent.spawn(self._replay_all, folder)

    def _connect(self) -> Statements:
        conn = psycopg.connect(self._dsn, autocommit=True, prepare_threshold=None, application_name="spendai ledger")
        for month in ("now()", "now() + interval '1 month'"):  # migrate makes them ahead; this is the safety net
            conn.execute(f"select app.ensure_partition(({month})::date)")
        if self._config.openai_api_key:
            conn.execute("select app.adopt_install_key(%s)", [self._config.openai_api_key_shared])
        return Statements(conn, QUERIES, prepared=self._config.database_prepared)

    def open(self, message: Message) -> Message:
        """Write the open row of a call; the answer's ``outcome`` says whether it may go upstream (see open_calls)."""
        self._running[message["id"]] = partial(_never_sent, message)
        try:
            answer = self._batcher.submit(OPEN, message, OPEN_SECONDS)
        except (LedgerUnavailable, LedgerRefused) as error:
            if isinstance(error, LedgerUnavailable) and error.sent:  # the row may be there: close it; nothing is sent
                self._keep(_never_sent(message))
            self._running.pop(message["id"], None)
            raise
        if answer["outcome"] == "opened":
            self._running[message["id"]] = partial(_broken_off, message, answer)
        else:
            del self._running[message["id"]]
        return answer

    def settle(self, message: Message) -> str:
        """Price and close a call; returns settled, already, missing, conflict (see settle_calls), spooled or kept."""
        self._running[message["id"]] = partial(dict, message)
        try:
            outcome = self._settle_now(message, SETTLE_SECONDS)
        except LedgerUnavailable:
            outcome = "spooled" if self._keep(message) else "kept"
        self._running.pop(message["id"], None)
        return outcome

    def _keep(self, message: Message) -> bool:
        """Spool the settle message of a running call, unless ``close`` already did; whether it is on disk."""
        return message["id"] not in self._running or self._spool.append(message)

    def _settle_late(self, message: Message) -> bool:
        """Settle a spooled message; whether that is definite: the open of a call never sent may still be on its way."""
        age = datetime.now(UTC) - datetime.fromisoformat(message["started_at"])
        return self._settle_now(message) != "absent" or age.total_seconds() > LATE_SECONDS

    def _settle_now(self, message: Message, seconds: float | None = None) -> str:
        try:
            return self._batcher.submit(SETTLE, message, seconds)["outcome"]
        except LedgerRefused:  # what the meter read is not to Postgres' liking: the call counts, its cost is unknown
            message = message | UNREADABLE
        try:
            return self._batcher.submit(SETTLE, message, seconds)["outcome"]
        except LedgerRefused:
            log.error("call=%s cannot be settled and stays in doubt", message["id"])
            return "refused"

    def _replay_all(self, folder: Path) -> None:
        """Settle what earlier runs left behind, however long the database is away."""
        while not self.replayed:
            try:
                if count := replay(folder, self._settle_late, self._spool.append):
                    log.warning("settled %s calls that an earlier run had spooled", count)
                self.replayed = True
            except BlockingIOError:  # another worker is at it
                gevent.sleep(0.05)
            except (LedgerUnavailable, OSError):
                gevent.sleep(1)

    def close(self) -> None:
        """Stop everything, without waiting for the database: calls under way are spooled for the next start."""
        self._replay.kill()
        self._batcher.close()
        for left in self._running.values():
            self._spool.put(left())
        self._running.clear()
        self._spool.close()


def _never_sent(message: Message) -> Message:
    """The settle message of a call that was not sent, whether its row is there or not."""
    return {name: message[name] for name in ("id", "started_at", "max_seconds")} | {
        "outcome": "error",
        "status_code": 503,
    }


def _broken_off(message: Message, opened: Message) -> Message:
    """The settle message of a call that we have to leave: sent perhaps, its usage unknown."""
    kept = ("id", "started_at", "max_seconds", "endpoint", "method", "stream", "end_user", "tags")
    whose = {name: opened[name] for name in ("org_id", "project_id", "api_key_id", "upstream", "account")}
    return {name: message[name] for name in kept} | whose | {
        "batch": False, "model_requested": message["model"], "outcome": "no_usage", "status_code": 503,
    }  # fmt: skip
