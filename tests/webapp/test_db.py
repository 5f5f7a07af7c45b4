"""The connection pools find a server soon after an outage, and do not wait for one that is frozen."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from analysts import new_analyst
from processes import signal_all, until
from psycopg_pool.pool import AddConnection, MaintenanceTask
from stack import ROOT, SECRETS

from webapp import db
from webapp.config import load
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import migrate


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A server of its own with the product's schema, and this process's pools on it."""
    with temporary() as cluster:
        with psycopg.connect(cluster.dsn(SUPERUSER, "temporary")) as conn:
            for file in ("db/supabase.sql", "db/local_auth.sql"):
                conn.execute((ROOT / file).read_text())
            conn.execute("alter role postgres password 'temporary'")
        owner = cluster.dsn("postgres", "temporary")
        config = load(SECRETS | {"DATABASE_URL": owner, "SPENDAI_HOME": str(tmp_path)})
        migrate(owner, passwords=db.passwords(config))
        monkeypatch.setattr(db, "_pools", {})  # others in this process have theirs
        db.open_pools(config)
        try:
            yield cluster
        finally:
            db.close_pools()


def test_an_analysts_long_transaction_is_ended_by_every_worker(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(db, "LONGEST_ANALYSIS", timedelta(0))
    with psycopg.connect(server.dsn("postgres", "temporary")) as owner:
        (org,) = owner.execute("insert into public.organizations (name) values ('Acme') returning id").fetchone()
    with psycopg.connect(new_analyst(server.dsn("postgres", "temporary"), str(org)), autocommit=True) as ann:
        ann.execute("set statement_timeout = 0")
        threading.Thread(target=db._watch_analysts, daemon=True).start()
        with pytest.raises(psycopg.errors.AdminShutdown):
            ann.execute("select pg_sleep(60)")


def test_a_server_that_freezes_under_a_statement_is_given_up_and_so_is_one_that_froze_before(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(db.WatchedConnection, "answer_seconds", 0.5)
    monkeypatch.setattr(db, "CHECK_SECONDS", 0.3)
    assert db.schema_version()
    try:
        with pytest.raises(psycopg.OperationalError), db.scope("spendai_auth") as tx:
            signal_all(server.data, signal.SIGSTOP)
            tx.query("select 1")
        assert not db.schema_version()
    finally:
        signal_all(server.data, signal.SIGCONT)
    until(lambda: bool(db.schema_version()), "the server is back and is found")


def test_after_an_outage_the_server_is_found_within_seconds_however_long_it_was_away(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert db.schema_version()
    pauses: list[float] = []  # between tries to connect
    given_up = threading.Event()  # until a connection is asked for again
    schedule = db._pools["auth"].schedule_task

    def scheduled(task: MaintenanceTask, seconds: float) -> None:
        if isinstance(task, AddConnection):
            pauses.append(seconds)
        schedule(task, seconds)

    monkeypatch.setattr(db._pools["auth"], "schedule_task", scheduled)
    monkeypatch.setattr(db._pools["auth"], "reconnect_failed", given_up.set)
    server.stop()
    while not given_up.is_set():
        assert not db.schema_version()
        assert max(pauses) <= db.RETRY_SECONDS, "the pool pauses for longer the longer a server was away"
    server.start()
    until(lambda: bool(db.schema_version()), "the server is back and is found")
