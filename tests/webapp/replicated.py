"""The application with a read replica: a primary and a streaming replica of a test module's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from replicas import PASSWORD, Standby, standby_of
from stack import ROOT, SECRETS

from webapp import create_app, db
from webapp.config import Config, load
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.embedded import limits
from webapp.postgres.migrations import migrate
from webapp.replica import reading
from webapp.replica.servers import Probe, Replica


class Replicated(SimpleNamespace):
    """site: the application; primary: its server; standby: its replica; watched: what requests know of both.

    No thread looks at the servers: a test says when.
    """

    site: Any  # conftest.Site
    primary: Cluster
    standby: Standby
    watched: Replica

    def look(self) -> None:
        """Let the replica catch up, and the requests that follow know it."""
        self.standby.catch_up()
        self.watched.look()
        if self.watched.problem:  # its connection was one to a server that has been restarted
            self.watched.look()
        assert self.watched.problem == ""


def replica_of(config: Config, read: str | None = None) -> Replica:
    """A view of both servers as a worker has it. read: another connection string instead of DATABASE_URL_READ."""
    if read is None:
        return Replica.of(config)
    return Replica(Probe(lambda: db.dsn(config, "spendai_auth")), Probe(lambda: read))


@contextmanager
def application(home: str) -> Iterator[Replicated]:
    """Both servers and the application, whose pools are this process's meanwhile."""
    with temporary() as primary, pytest.MonkeyPatch.context() as patch:
        with psycopg.connect(primary.dsn(SUPERUSER, PASSWORD)) as conn:
            for file in ("db/supabase.sql", "db/local_auth.sql"):
                conn.execute((ROOT / file).read_text())
            conn.execute(f"alter role postgres password '{PASSWORD}'")
            for statement in limits(conn):
                conn.execute(statement)
        owner = primary.dsn("postgres", PASSWORD)
        with standby_of(primary, wal_retrieve_retry_interval="100ms") as standby:
            read = standby.server.dsn("anybody", "unused")
            config = load(SECRETS | {"SPENDAI_HOME": home, "DATABASE_URL": owner, "DATABASE_URL_READ": read,
                                     "FORWARDED_ALLOW_IPS": "127.0.0.1"})  # fmt: skip
            migrate(owner, passwords=db.passwords(config))
            standby.catch_up()
            patch.setattr(db, "_pools", {})  # others in this process have theirs
            db.open_pools(config)
            from conftest import Site  # conftest.py imports this module

            site = Site(app=create_app(config), config=config, dsn=owner, admin=primary.dsn(SUPERUSER, PASSWORD))
            watched = replica_of(config)
            patch.setattr(reading, "_watched", [watched])
            try:
                yield Replicated(site=site, primary=primary, standby=standby, watched=watched)
            finally:
                watched.close()
                db.close_pools()


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    """One application with a replica for all tests of a module."""
    with application(str(tmp_path_factory.mktemp("home"))) as found:
        yield found
