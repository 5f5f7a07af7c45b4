"""Two Postgres servers, a primary and its synchronous standby, which change places at every failover.

Set up with the statements of docs/deploy.md: a commit returns when the standby has applied it. A server that was just
promoted has no standby; waiting for one would stop every call, so it waits again only when the rebuilt one follows.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from pooler import documented
from processes import processes_on, signal_all
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from replicas import copy

from webapp.postgres.cluster import PORT, SUPERUSER, Cluster

PASSWORD, DATABASE, NAME = "temporary", "spendai", "standby"
REPLICATION, WAIT = documented("create role standby"), documented("alter system set synchronous_standby_names")
STREAMING = "select sync_state from pg_stat_replication where application_name = %s and state = 'streaming'"


class Pair:
    """``with Pair(folder) as pair: …``; ``primary`` and ``standby`` are what they are now.

    synchronous=False is the counter-proof: commits do not wait for the standby, which lags.
    """

    def __init__(self, folder: Path, *, synchronous: bool = True) -> None:
        self.synchronous = synchronous
        settings = {
            "synchronous_commit": "remote_apply",
            "max_connections": "150",
            "dynamic_shared_memory_type": "mmap",
        }
        self.primary, self.standby = (
            Cluster(folder / name / "data", folder / name / "socket", settings=settings) for name in ("a", "b")
        )
        self.hosts = f"{self.primary.socket},{self.standby.socket}"

    def __enter__(self) -> Pair:
        for server in (self.primary, self.standby):
            server.data.parent.mkdir(mode=0o755)
        self.primary.socket.mkdir(mode=0o700)
        self.primary.own(self.primary.socket)
        try:
            self.primary.create(PASSWORD)
            self.primary.start()
            self.ask(f"create role spendai login createrole password '{PASSWORD}'", dbname="postgres")
            self.ask("create database spendai owner spendai", dbname="postgres")
            self._run(REPLICATION.replace("a-password-for-the-standby", PASSWORD))
            self.follow()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for server in (self.standby, self.primary):
            self.kill(server)

    @property
    def admin(self) -> str:
        """The superuser's connection string of whoever is the primary now."""
        return self.primary.dsn(SUPERUSER, PASSWORD, DATABASE)

    @property
    def url(self) -> str:
        """The owner's DATABASE_URL, which names both servers."""
        return f"postgresql://spendai:{PASSWORD}@/{DATABASE}?host={self.hosts}&port={PORT},{PORT}"

    def ask(self, query: str, *args: Any, dbname: str = DATABASE) -> list[dict[str, Any]]:
        """Rows of a query on the primary, as its superuser."""
        dsn = self.primary.dsn(SUPERUSER, PASSWORD, dbname)
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as conn:
            answer = conn.execute(query, args)
            return answer.fetchall() if answer.description else []

    def follow(self) -> None:
        """Build the standby anew from the primary, and let commits wait for it once it has caught up."""
        self.kill(self.standby)
        shutil.rmtree(self.standby.data, ignore_errors=True)
        copy(self.primary, self.standby, make_conninfo(self.primary.dsn("standby", PASSWORD), application_name=NAME))
        self.standby.start()
        self._until(lambda: self.ask(STREAMING, NAME))
        if self.synchronous:
            self._run(WAIT)
            self._until(lambda: [row["sync_state"] for row in self.ask(STREAMING, NAME)] == ["sync"])

    def promote(self) -> None:
        """The standby becomes the primary, whatever the other one does."""
        self.primary, self.standby = self.standby, self.primary
        assert self.ask("select pg_promote(true, 30) as done")[0]["done"], "the standby was not promoted"

    def freeze(self, server: Cluster) -> None:
        signal_all(server.data, signal.SIGSTOP)

    def thaw(self, server: Cluster) -> None:
        signal_all(server.data, signal.SIGCONT)

    def kill(self, server: Cluster) -> None:
        """End every process of a server at once, as a machine does that loses power; nothing stays in memory."""
        words = (server.data / "postmaster.pid").read_text().split() if server.process else []
        while processes_on(server.data):
            signal_all(server.data, signal.SIGKILL)
            time.sleep(0.01)
        if server.process is not None:
            server.process.wait()
            ctypes.CDLL(None).shmctl(int(words[-2]), 0, None)  # IPC_RMID; the last word is the server's state
            server.process = None

    def lag(self) -> None:
        """For the counter-proof: the standby gets nothing more, for half a second of calls."""
        with psycopg.connect(self.standby.dsn(SUPERUSER, PASSWORD, DATABASE), autocommit=True) as conn:
            conn.execute("alter system set primary_conninfo = ''")
            conn.execute("select pg_reload_conf()")
        time.sleep(0.5)

    def _run(self, statements: str) -> None:
        """Statements one by one, as psql does it: alter system runs in no transaction."""
        for statement in filter(str.strip, statements.split(";")):
            self.ask(statement)

    @staticmethod
    def _until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, "the standby does not follow"
            time.sleep(0.02)
