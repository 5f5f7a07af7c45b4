"""The ledger without a database that answers: each call is answered in time, and spooled exactly once."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from stack import SECRETS

from webapp.config import Config, load
from webapp.ledger.ledger import Ledger, LedgerUnavailable
from webapp.ledger.spool import read_lines

GUARD = 20  # seconds after which a test that hangs fails


class Frozen:
    """Statements that never answer; ``busy`` is set once something was sent."""

    closed = False

    def __init__(self) -> None:
        self.busy = Event()

    def run(self, calls: dict[str, Any]) -> dict[str, Any]:
        self.busy.set()
        Event().wait()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def database() -> Frozen:
    return Frozen()


@pytest.fixture
def ledger(database: Frozen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    config = load(SECRETS | {"DATABASE_URL": "postgresql://postgres@nowhere.test/postgres"})
    monkeypatch.setattr(Ledger, "_connect", lambda ledger: database)
    ledger = Ledger(Config(**{**vars(config), "home": tmp_path}))
    with gevent.Timeout(GUARD):
        yield ledger
        ledger.close()


def message(name: str) -> dict[str, Any]:
    """What an open or a settle of a call holds, as far as the ledger looks at it."""
    return {"id": name, "started_at": "2026-01-01T00:00:00+00:00", "max_seconds": 60}


def spooled(folder: Path) -> dict[str, list[str]]:
    """Call → outcomes of its lines in the spool files, or None for a settle message of this test."""
    lines: dict[str, list[str]] = {}
    for file in (folder / "spool").glob("*.spool"):
        for line in read_lines(file.read_bytes()):
            lines.setdefault(line["id"], []).append(line.get("outcome"))
    return lines


def outcome(function: Callable[[dict[str, Any]], Any], name: str) -> Any:
    """What the ledger returns or raises for a call of this name."""
    try:
        return function(message(name))
    except Exception as error:
        return error


def test_a_stop_spools_what_waits_for_the_database_once_and_lets_every_caller_end(ledger, database, tmp_path):
    calls = [gevent.spawn(outcome, ledger.open, "o1"), gevent.spawn(outcome, ledger.settle, "s1")]
    database.busy.wait()
    calls += [gevent.spawn(outcome, ledger.open, "o2"), gevent.spawn(outcome, ledger.settle, "s2")]
    gevent.sleep(0)
    ledger.close()
    answers = [job.get() for job in calls]
    assert [type(answer) for answer in answers] == [LedgerUnavailable, str, LedgerUnavailable, str]
    assert (answers[1], answers[3]) == ("spooled", "spooled")
    assert spooled(tmp_path) == {"o1": ["error"], "s1": [None], "o2": ["error"], "s2": [None]}


def test_an_open_that_nobody_answers_is_refused_in_time_and_spooled_as_not_sent(ledger, monkeypatch, tmp_path):
    monkeypatch.setattr("webapp.ledger.ledger.OPEN_SECONDS", 0.01)
    assert isinstance(outcome(ledger.open, "o1"), LedgerUnavailable)
    assert spooled(tmp_path) == {"o1": ["error"]}


@pytest.fixture
def no_fsync(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spool's file is there, and from now on the disk fails."""

    def fail(file: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    assert ledger._spool.put(message("earlier"))
    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr("webapp.ledger.ledger.OPEN_SECONDS", 0.01)
    monkeypatch.setattr("webapp.ledger.ledger.SETTLE_SECONDS", 0.01)


def test_an_open_is_refused_and_forgotten_though_the_disk_fails_too(ledger, no_fsync):
    assert isinstance(outcome(ledger.open, "o1"), LedgerUnavailable)
    assert ledger._running == {}


def test_a_settle_that_the_disk_does_not_take_is_kept_in_memory(ledger, no_fsync):
    assert outcome(ledger.settle, "s1") == "kept"
    assert ledger._running == {}


def test_a_stop_ends_though_the_disk_fails(ledger, no_fsync):
    ledger.close()
