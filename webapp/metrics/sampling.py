"""Once a second, each worker notes how much of everything is under way in it: no call has to count that."""

from __future__ import annotations

import gevent
from flask import Flask

from webapp import db
from webapp.metrics import measured
from webapp.replica import reading

SECONDS = 1.0  # between two looks


def watch(app: Flask) -> None:
    """Called in a worker that has started: sample until it ends."""
    gevent.spawn(_watch, app)


def _watch(app: Flask) -> None:
    while True:
        sample(app)
        gevent.sleep(SECONDS)


def sample(app: Flask) -> None:
    """Note what is under way in this worker now."""
    gateway = app.gateway
    measured.WORKERS.set(1)
    measured.READY.set(gateway.ledger.replayed and not gateway.ledger.refusing)
    measured.OPEN_CALLS.set(gateway.ledger.running)
    measured.SPOOLED_CALLS.set(gateway.ledger.spooled)
    measured.SESSIONS.set(app.sessions.sessions)
    measured.UPSTREAM.set(gateway.client.connections)
    measured.REPLICA.set(reading.usable())
    for pool, waits, milliseconds in db.pool_waits():
        measured.POOL_WAITS[(pool,)].add(waits)
        measured.POOL_WAIT_SECONDS[(pool,)].add(milliseconds / 1000)
