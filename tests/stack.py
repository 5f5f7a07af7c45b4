"""The product as a user runs it: gunicorn with its workers, in front of a real Postgres and a fake OpenAI."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import requests
from people import People
from psycopg.rows import dict_row

from webapp import db
from webapp.config import load
from webapp.postgres.migrations import migrate
from webapp.secrets.provider_keys import fingerprint
from webapp.secrets.vault import seal

ROOT = Path(__file__).resolve().parent.parent
HOSTS = ROOT / "tests/hosts"  # what resolves OpenAI's regional hosts to this machine
SECRETS = {
    "SECRET_KEY": "tests-only-secret-key-of-at-least-32-characters",
    "SPENDAI_ENCRYPTION_KEYS": "1:" + "A" * 43 + "=",
}
reserved: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody else gets while this process lives: Linux gives a port that a socket is bound to away only to
    those who ask for it by its number, with SO_REUSEADDR, as servers do.
    """
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    if sys.platform == "linux":
        reserved.append(sock)
    return sock.getsockname()[1]


class Stack:
    """``with Stack(owner_dsn, admin_dsn, OPENAI_BASE_URL=…) as stack:``; stack.url, stack.people, stack.log()."""

    def __init__(self, owner_dsn: str, admin_dsn: str, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.proxy = f"{self.url}/api/v1/proxy"
        self.home = tempfile.TemporaryDirectory(prefix="spendai-home-")
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "SUPABASE_"))} | SECRETS | {
            "PORT": str(self.port), "WORKERS": "2", "DATABASE_URL": owner_dsn, "SPENDAI_HOME": self.home.name,
            "DRAIN_SECONDS": "5", "PYTHONPATH": os.pathsep.join([str(HOSTS), os.environ.get("PYTHONPATH", "")]),
        } | environ  # fmt: skip
        self.admin_dsn = admin_dsn
        self.config = load(self.environ)
        self.process: subprocess.Popen[bytes] | None = None
        self.logfile = Path(self.home.name) / "gunicorn.log"

    def __enter__(self) -> Stack:
        migrate(self.environ["DATABASE_URL"], passwords=db.passwords(self.config))
        self.conn = psycopg.connect(self.admin_dsn, autocommit=True, row_factory=dict_row)
        self.conn.execute("set role postgres")
        self.people = People(self.conn)
        self.start()
        return self

    def start(self) -> None:
        """Start gunicorn and wait until it answers."""
        with self.logfile.open("ab") as log:
            command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_for(lambda: requests.get(f"{self.url}/readyz", timeout=20).ok, 60)

    def stop(self, sent: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(sent)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.conn.close()
        self.home.cleanup()

    def log(self) -> str:
        return self.logfile.read_text(errors="replace")

    def key(self, name: str = "ada") -> str:
        return self.people.keys[name].key

    def post(self, path: str = "/chat/completions", name: str = "ada", **kwargs: Any) -> requests.Response:
        """POST through the proxy with this person's key."""
        headers = {"Authorization": f"Bearer {self.key(name)}"} | kwargs.pop("headers", {})
        return requests.post(self.proxy + path, headers=headers, timeout=30, **kwargs)

    def row(self, answer: requests.Response | str) -> dict[str, Any]:
        """The row of usage_logs of an answer."""
        call_id = answer if isinstance(answer, str) else answer.headers["x-spendai-call-id"]
        return self.conn.execute("select * from public.usage_logs where id = %s", [call_id]).fetchone()

    def count(self) -> int:
        return self.conn.execute("select count(*) as n from public.usage_logs").fetchone()["n"]

    def found_with_key(self, name: str, organization: str, base_url: str, key: str = "sk-own") -> None:
        """Another organization, founded by ``name``, which brings an OpenAI key of its own."""
        self.people.found(name, organization)
        sealed = seal(self.config.key_ring, key, self.people.orgs[name], None)
        arguments = [sealed, base_url, fingerprint(self.config, key)]
        with self.people.as_(name):
            self.people.one("select app.provider_key_set(null, %s, 'own', %s, %s, true)", *arguments)

    @staticmethod
    def wait_for(condition: Any, seconds: float = 60) -> Any:
        """Poll until the condition is true and return its value; an exception in it means: not yet true."""
        end = time.monotonic() + seconds
        while True:
            with suppress(Exception):
                if value := condition():
                    return value
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)
