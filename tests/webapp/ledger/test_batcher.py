"""Callers of the batcher get an answer or an error in time: under load, and when the gateway stops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gevent
import psycopg
import pytest
from gevent.event import Event

from webapp.ledger.batcher import BATCH, TOGETHER, Batcher, LedgerUnavailable

GUARD = 20  # seconds after which a test that hangs fails


class Database:
    """Statements that answer while ``gate`` is set. ``then`` is called before the callers get the answer."""

    closed = False

    def __init__(self) -> None:
        self.then = lambda: None
        self.gate, self.busy = Event(), Event()
        self.gate.set()
        self.sizes: list[dict[str, int]] = []  # of each transaction: kind → number of messages

    def run(self, calls: dict[str, Any]) -> dict[str, Any]:
        self.sizes.append({kind: len(json.loads(parameters[0])) for kind, parameters in calls.items()})
        self.busy.set()
        self.gate.wait()
        gevent.spawn(self.then)
        return {kind: [{"n": n, "outcome": "opened"} for n in range(BATCH)] for kind in calls}

    def freeze(self) -> None:
        """Do not answer until ``gate`` is set."""
        self.gate.clear()
        self.busy.clear()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def batcher(database: Database) -> Iterator[Batcher]:
    batcher = Batcher(lambda: database, {"settle": [], "open": []})
    with gevent.Timeout(GUARD):
        yield batcher
        batcher.close()


def caller(batcher: Batcher, seconds: float | None = None, kind: str = "settle") -> gevent.Greenlet:
    """Submits a message; its value is the outcome, or the LedgerUnavailable that was raised."""

    def call() -> str | LedgerUnavailable:
        try:
            return batcher.submit(kind, {"id": "x"}, seconds)["outcome"]
        except LedgerUnavailable as error:
            return error

    return gevent.spawn(call)


def test_an_open_that_is_answered_while_the_gateway_stops_is_refused(database, batcher):
    assert batcher.submit("open", {"id": "a"})["outcome"] == "opened"
    database.then = batcher.close  # Ledger.close then spools the call as not sent
    with pytest.raises(LedgerUnavailable) as error:
        batcher.submit("open", {"id": "b"})
    assert error.value.sent


def test_a_caller_behind_full_batches_waits_no_longer_than_its_seconds(database, batcher):
    database.freeze()
    caller(batcher)
    database.busy.wait()
    full = [caller(batcher) for _ in range(2 * BATCH)]
    gevent.sleep(0)
    late = [caller(batcher, seconds=0.01) for _ in range(BATCH + 1)]
    gevent.joinall(late)
    assert {job.value.sent for job in late} == {False}
    database.gate.set()
    assert {job.get() for job in full} == {"opened"}
    assert batcher.submit("open", {"id": "x"})["outcome"] == "opened"
    assert [sum(sizes.values()) for sizes in database.sizes] == [1, BATCH, BATCH, 1], "nothing is sent for who gave up"


def test_a_few_messages_of_two_kinds_share_a_transaction(database, batcher):
    database.freeze()
    first = caller(batcher)
    database.busy.wait()
    few = [caller(batcher, kind=kind) for kind in ("open", "settle", "open")]
    gevent.sleep(0)
    database.gate.set()
    assert {job.get() for job in (first, *few)} == {"opened"}
    assert database.sizes == [{"settle": 1}, {"settle": 1, "open": 2}]


def test_many_messages_of_two_kinds_take_turns_the_longest_wait_first(database, batcher):
    database.freeze()
    first = caller(batcher)
    database.busy.wait()
    many = [caller(batcher, kind=kind) for _ in range(TOGETHER) for kind in ("open", "settle")]
    gevent.sleep(0)
    database.gate.set()
    assert {job.get() for job in (first, *many)} == {"opened"}
    assert database.sizes == [{"settle": 1}, {"open": TOGETHER}, {"settle": TOGETHER}]


def test_close_wakes_the_callers_of_both_kinds_of_a_transaction(database, batcher):
    caller(batcher)
    gevent.sleep(0)
    database.freeze()
    both = [caller(batcher, kind=kind) for kind in ("open", "settle")]
    database.busy.wait()
    batcher.close()
    assert [job.get().sent for job in both] == [True, True]


def test_close_wakes_every_caller_and_tells_whether_its_message_was_sent(database, batcher):
    database.freeze()
    first = caller(batcher, kind="open")
    database.busy.wait()
    second = caller(batcher, kind="open")
    gevent.sleep(0)
    batcher.close()
    assert [job.get().sent for job in (first, second)] == [True, False]


@pytest.mark.parametrize(
    "error", [psycopg.errors.RaiseException("x"), psycopg.errors.CheckViolation("x"), ValueError()]
)
def test_what_goes_wrong_while_connecting_condemns_no_message(error):
    def connect() -> Database:
        raise error

    batcher = Batcher(connect, {"settle": [], "open": []})
    with gevent.Timeout(GUARD), pytest.raises(LedgerUnavailable) as raised:
        batcher.submit("settle", {"id": "x"})
    assert not raised.value.sent
    batcher.close()
