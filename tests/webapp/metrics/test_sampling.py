"""What a worker notes once a second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from conftest import Site
from stack import Stack

from webapp import db
from webapp.metrics import measured, sampling


def test_it_notes_what_is_under_way_and_who_waited_for_a_connection(site: Site) -> None:
    ledger = SimpleNamespace(running=3, spooled=2, replayed=True, refusing=False)
    gateway = SimpleNamespace(ledger=ledger, client=SimpleNamespace(connections=7))
    app = SimpleNamespace(gateway=gateway, sessions=SimpleNamespace(sessions=4))
    db.pool_waits()  # what earlier tests have left
    before = measured.POOL_WAITS["auth",].value(), measured.POOL_WAIT_SECONDS["auth",].value()
    with ThreadPoolExecutor(1) as other:
        with db.scope("spendai_auth"), db.scope("spendai_auth"):  # all that the pool has
            waiting = other.submit(db.schema_version)
            Stack.wait_for(lambda: db._pools["auth"].get_stats()["requests_waiting"] >= 1)
        assert waiting.result()
    sampling.sample(app)
    levels = (measured.OPEN_CALLS, measured.SPOOLED_CALLS, measured.UPSTREAM, measured.SESSIONS, measured.WORKERS)
    assert [level.value() for level in levels] == [3, 2, 7, 4, 1]
    assert measured.POOL_WAITS["auth",].value() > before[0]
    assert measured.POOL_WAIT_SECONDS["auth",].value() >= before[1]
    waits = measured.POOL_WAITS["auth",].value()
    sampling.sample(app)
    assert measured.POOL_WAITS["auth",].value() == waits, "each is counted once"


def test_a_worker_that_answers_readyz_with_503_is_not_counted_as_ready() -> None:
    ledger = SimpleNamespace(running=0, spooled=0, replayed=False, refusing=False)
    gateway = SimpleNamespace(ledger=ledger, client=SimpleNamespace(connections=0))
    app, found = SimpleNamespace(gateway=gateway, sessions=SimpleNamespace(sessions=0)), []
    for ledger.replayed, ledger.refusing in ((False, False), (True, True), (True, False)):
        sampling.sample(app)
        found.append((measured.READY.value(), measured.WORKERS.value()))
    assert found == [(0, 1), (0, 1), (1, 1)]
