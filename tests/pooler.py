"""A PgBouncer of the tests' own in front of a throw-away Postgres, set up as docs/deploy.md says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from stack import free_port

from webapp.config import ROOT
from webapp.postgres.cluster import PORT, Cluster, die_with_parent
from webapp.postgres.programs import account, run_as

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
DEPLOY = (ROOT / "docs/deploy.md").read_text() if (ROOT / "docs/deploy.md").exists() else ""


def needed() -> None:
    """Skip where PgBouncer is not installed; in CI that is a failure."""
    if not PROGRAM:
        said = "pgbouncer is not installed, and installing it takes root and apt"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)


def documented(first_line: str) -> str:
    """The code block of docs/deploy.md that begins with this line."""
    return re.search(rf"^```\w*\n({re.escape(first_line)}.*?)^```", DEPLOY, re.M | re.S)[1]


class Pooler:
    """``with Pooler(cluster, superuser's connection string) as pooler:`` and ``pooler.through(dsn)``."""

    def __init__(self, cluster: Cluster, admin: str, **changes: str) -> None:
        self.cluster, self.admin, self.changes = cluster, admin, changes
        self.port = free_port()
        self.dbname = conninfo_to_dict(admin)["dbname"]

    def __enter__(self) -> Pooler:
        needed()
        with psycopg.connect(self.admin) as conn:
            conn.execute(documented("-- once, as a superuser").replace("a-password-for-pgbouncer", "pooling"))
        self.folder = Path(tempfile.mkdtemp(prefix="spendai-pooler-"))
        self.folder.chmod(0o755)
        for name, text in (("userlist.txt", '"pgbouncer" "pooling"\n'), ("pgbouncer.ini", self._settings())):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o644)  # for another user, whatever the umask is
        self.log = (self.folder / "log").open("wb")
        command = [PROGRAM, str(self.folder / "pgbouncer.ini")]
        self.process = subprocess.Popen(
            command,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            **run_as(account(self.cluster.data)),
        )
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.02)

    def lead_to(self, cluster: Cluster, admin: str) -> None:
        """Lead to another server from now on: change the file and reload, as after a failover."""
        self.cluster, self.admin = cluster, admin
        (self.folder / "pgbouncer.ini").write_text(self._settings())
        self.process.send_signal(signal.SIGHUP)

    def _settings(self) -> str:
        """The documented file, for this server and port."""
        wanted = {
            "spendai": f"host={self.cluster.socket} port={PORT} dbname={self.dbname}", "listen_addr": "127.0.0.1",
            "listen_port": str(self.port), "auth_file": str(self.folder / "userlist.txt"), "unix_socket_dir": "",
        } | self.changes  # fmt: skip
        text = documented("; pgbouncer.ini")
        for name, value in wanted.items():
            text, found = re.subn(rf"^{name} =.*$", f"{name} = {value}", text, flags=re.M)
            text += "" if found else f"{name} = {value}\n"
        return text

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.folder)
        with suppress(psycopg.OperationalError), psycopg.connect(self.admin) as conn:  # the server may be gone by now
            conn.execute("drop schema pgbouncer cascade; drop role pgbouncer")

    def through(self, dsn: str) -> str:
        """The same connection, by way of the pooler."""
        kept = {k: v for k, v in conninfo_to_dict(dsn).items() if k in ("user", "password")}
        return make_conninfo(host="127.0.0.1", port=self.port, dbname="spendai", **kept)
