"""The product of the proof: `make run` with its own Postgres, its processes, and what they left behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from processes import children, processes_on
from psycopg.rows import dict_row
from stack import ROOT, SECRETS, free_port

from webapp.config import load
from webapp.ledger.spool import read_lines
from webapp.postgres import embedded
from webapp.postgres.cluster import die_with_parent

# A call that the upstream leaves hanging, or whose client left, is over this many seconds later at the latest.
READ_SECONDS, DRAIN_SECONDS = 1, 1


class Product:
    """``start()``, then break it; ``whole()`` brings it back and waits until nothing is left to settle."""

    command = ("-m", "webapp.launch.run")

    def __init__(self, home: Path, upstream: str, **settings: str) -> None:
        self.home, self.port = home, free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "OPENAI_", "SUPABASE_"))}
        self.environ = inherited | SECRETS | {
            "SPENDAI_HOME": str(home), "PORT": str(self.port), "WORKERS": "2",
            "OPENAI_API_KEY": "sk-upstream", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": upstream,
            "UPSTREAM_READ_TIMEOUT": str(READ_SECONDS), "DRAIN_SECONDS": str(DRAIN_SECONDS), "CALL_MAX_SECONDS": "20",
        } | settings  # fmt: skip
        self.config = load(self.environ)
        self.log = home / "prove.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )

    def masters(self) -> list[int]:
        return children(self.process.pid, "gunicorn")

    def workers(self) -> list[int]:
        return [pid for master in self.masters() for pid in children(master, "gunicorn")]

    def gateway(self) -> list[int]:
        return [*self.masters(), *self.workers()]

    def postgres(self) -> list[int]:
        """Every Postgres process on our data."""
        return processes_on(self.data())

    def data(self) -> Path:
        """Folder of the database."""
        return next((self.home / "postgres").resolve().glob("pg??"))

    def postmasters(self) -> list[int]:
        return children(self.process.pid, "postgres")

    def backends(self) -> list[int]:
        """Processes that serve the gateway's connections."""
        return [pid for postmaster in self.postmasters() for pid in children(postmaster, "spendai_proxy")]

    def revive(self) -> bool:
        """Start it again if its launcher is gone; whether that was so."""
        if self.process.poll() is None:
            return False
        time.sleep(0.2)  # one that was hit while it started says so and ends
        self.start()
        return True

    def whole(self, still: float = READ_SECONDS + DRAIN_SECONDS + 1) -> None:
        """Wait until it runs, every settle that was put off is done, and so many seconds have passed since.

        AssertionError when that does not come.
        """
        end, quiet_since = time.monotonic() + 90, None
        while quiet_since is None or time.monotonic() - quiet_since < still:
            self.revive()
            quiet = self.ready() and not self.spooled()
            quiet_since = (quiet_since or time.monotonic()) if quiet else None
            assert time.monotonic() < end, f"not ready, or a spool is not settled: {self.log.read_text()[-1000:]}"
            time.sleep(0.05)

    def ready(self) -> bool:
        try:
            return self.request("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def spooled(self) -> set[str]:
        """Ids of sent calls in the spool whose settle is still to come. Lines of calls never sent may stay longer."""
        found = set()
        for file in (self.home / "spool").glob("*"):
            with suppress(FileNotFoundError):  # just replayed
                found |= {line["id"] for line in read_lines(file.read_bytes()) if "org_id" in line}
        query = "select id::text as id from public.usage_logs where id = any(%s::uuid[]) and state = 'settled'"
        return found - {row["id"] for row in self.rows(query, list(found))} if found else found

    def request(self, method: str, path: str, words: Any = None, token: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            connection.request(method, path, json.dumps(words) if words is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def sign_up(self) -> tuple[str, str]:
        """Somebody with a project: access token and the project's id."""
        words = {"email": "ada@example.test", "password": "correct horse", "organization": "Acme"}
        token = self.request("POST", "/api/v1/auth/signup", words)[1]["access_token"]
        return token, self.request("POST", "/api/v1/projects", {"name": "chat"}, token)[1]["id"]

    def key(self) -> str:
        """Sign somebody up and make a proxy key, as a user does it through the API."""
        token, project = self.sign_up()
        return self.request("POST", f"/api/v1/projects/{project}/keys", {"name": "main"}, token)[1]["key"]

    def rows(self, query: str, *args: Any) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        password = (self.home / "secrets" / "postgres-postgres").read_text().strip()
        with psycopg.connect(embedded.conninfo(self.config, "postgres", password), row_factory=dict_row) as conn:
            return conn.execute(query, args).fetchall()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
