"""A streaming replica of a throw-away server, made by pg_basebackup and held back where a test wants it to lag."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from webapp.postgres.cluster import SUPERUSER, Cluster
from webapp.postgres.programs import run_as

PASSWORD = "temporary"


def copy(primary: Cluster, to: Cluster, dsn: str) -> None:
    """Make ``to`` a standby of ``primary``, which it reaches by ``dsn``; not started yet."""
    for folder in (to.data, to.socket):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        to.own(folder)
    command = [primary.bindir / "pg_basebackup", "-D", to.data, "-R", "-c", "fast", "-X", "stream", "--no-sync"]
    command += ["-d", dsn]
    subprocess.run(command, check=True, capture_output=True, **run_as(primary.user))


class Standby:
    """A replica that runs; ``ask`` is its superuser."""

    def __init__(self, server: Cluster, primary: Cluster) -> None:
        self.server, self.primary = server, primary

    def ask(self, query: str, dbname: str = "postgres") -> tuple | None:
        with psycopg.connect(self.server.dsn(SUPERUSER, PASSWORD, dbname), autocommit=True) as conn:
            cursor = conn.execute(query)
            return cursor.fetchone() if cursor.description else None

    def hold(self) -> None:
        """Replay nothing more from now on, until ``go_on``."""
        self.ask("select pg_wal_replay_pause()")
        self._write()  # it stops at the next record
        while self.ask("select pg_get_wal_replay_pause_state()") != ("paused",):
            pass

    def go_on(self) -> None:
        self.ask("select pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until it has replayed everything that the primary has written by now."""
        position = self._write()
        while self.ask(f"select pg_last_wal_replay_lsn() >= '{position}'") != (True,):
            pass

    def _write(self) -> str:
        """Write something on the primary, down to its disk, so that it is sent at once; a position that lies before."""
        with psycopg.connect(self.primary.dsn(SUPERUSER, PASSWORD), autocommit=True) as conn:
            position = conn.execute("select pg_current_wal_insert_lsn()::text").fetchone()[0]
            conn.execute("set synchronous_commit = on")
            conn.execute("select pg_logical_emit_message(true, 'test', '')")
            return position


@contextmanager
def standby_of(primary: Cluster, **settings: str) -> Iterator[Standby]:
    """A replica of a running server, with the same programs, beside its folder."""
    folder = Path(tempfile.mkdtemp(prefix="spendai-replica-", dir=primary.data.parent.parent))
    folder.chmod(0o755)
    server = Cluster(folder / "data", folder / "socket", bindir=primary.bindir, durable=False, settings=settings)
    try:
        copy(primary, server, primary.dsn(SUPERUSER, PASSWORD))
        server.start()
        yield Standby(server, primary)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
