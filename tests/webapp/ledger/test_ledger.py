"""The ledger while the database does not answer: no caller waits too long, each call is spooled exactly once."""

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
    """Statements that never answer; ``busy`` is set when one was sent."""

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
    """The fields of an open or settle message that the ledger reads."""
    return {"id": name, "started_at": "2026-01-01T00:00:00+00:00", "max_seconds": 60}


def spooled(folder: Path) -> dict[str, list[str]]:
    """Id of each call in the spool files → the outcome in each of its lines, None in the messages of these tests."""
    lines: dict[str, list[str]] = {}
    for file in (folder / "spool").glob("*.spool"):
        for line in read_lines(file.read_bytes()):
            lines.setdefault(line["id"], []).append(line.get("outcome"))
    return lines


def outcome(function: Callable[..., Any], name: str) -> Any:
    """What a method of the ledger returns or raises for a call with this id."""
    more = [lambda: message(name)] if function.__name__ == "open" else []
    try:
        return function(message(name), *more)
    except Exception as error:
        return error


def test_close_spools_every_waiting_call_once_and_wakes_its_caller(ledger, database, tmp_path):
    calls = [gevent.spawn(outcome, ledger.open, "o1"), gevent.spawn(outcome, ledger.settle, "s1")]
    database.busy.wait()
    calls += [gevent.spawn(outcome, ledger.open, "o2"), gevent.spawn(outcome, ledger.settle, "s2")]
    gevent.sleep(0)
    ledger.close()
    answers = [job.get() for job in calls]
    assert [type(answer) for answer in answers] == [LedgerUnavailable, str, LedgerUnavailable, str]
    assert (answers[1], answers[3]) == ("spooled", "spooled")
    assert spooled(tmp_path) == {"o1": ["error"], "s1": [None], "o2": ["error"], "s2": [None]}


def test_an_open_without_an_answer_is_refused_in_time_and_spooled_as_not_sent(ledger, monkeypatch, tmp_path):
    monkeypatch.setattr("webapp.ledger.ledger.OPEN_SECONDS", 0.3)
    assert isinstance(outcome(ledger.open, "o1"), LedgerUnavailable)
    assert spooled(tmp_path) == {"o1": ["error"]}


def test_it_refuses_after_a_call_that_could_not_be_opened_until_one_is(ledger, monkeypatch):
    """A key that is not valid tells nothing: for it nothing is written."""
    refusing = []
    for answer in ("opened", LedgerUnavailable("", sent=False), "invalid_key", "opened", "clock_skew", "opened"):

        def submit(*_: Any, answer: Any = answer) -> dict[str, Any]:
            if isinstance(answer, Exception):
                raise answer
            return {"outcome": answer}

        monkeypatch.setattr(ledger._batcher, "submit", submit)
        outcome(ledger.open, "call")
        refusing.append(ledger.refusing)
    assert refusing == [False, True, True, False, True, False]
    ledger._running.clear()


@pytest.fixture
def no_fsync(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the spool file was created, every fsync fails."""

    def fail(file: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    assert ledger._spool.put(message("earlier"))
    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr("webapp.ledger.ledger.OPEN_SECONDS", 0.3)
    monkeypatch.setattr("webapp.ledger.ledger.SETTLE_SECONDS", 0.3)


def test_an_open_is_refused_and_forgotten_even_if_the_disk_fails(ledger, no_fsync):
    assert isinstance(outcome(ledger.open, "o1"), LedgerUnavailable)
    assert ledger._running == {}


def test_a_settle_that_cannot_be_synced_is_kept_in_memory(ledger, no_fsync):
    assert outcome(ledger.settle, "s1") == "kept"
    assert ledger._running == {}


def test_close_ends_even_if_the_disk_fails(ledger, no_fsync):
    ledger.close()
