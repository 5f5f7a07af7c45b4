"""SpendAI as `make run` starts it: embedded Postgres with fsync, two workers, a project's key, a folder on disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from durable.product import Product
from processes import children

from bench import tools
from bench.procs import end, memory_mb, tree
from bench.systems import CHAT, System
from webapp.config import ROOT
from webapp.postgres.cluster import die_with_parent
from webapp.postgres.programs import account, may_enter

COUNT = """
select count(*) filter (where state = 'settled' and cost_status = 'priced') as priced, count(*) as calls
from public.usage_logs
"""
PRODUCTION = {  # the default settings, which Product in tests/durable replaces
    "UPSTREAM_READ_TIMEOUT": "600", "DRAIN_SECONDS": "120", "CALL_MAX_SECONDS": "3600", "OPENAI_API_KEY_SHARED": "0",
}  # fmt: skip


class Run(Product):
    """SpendAI, started so that it ends with this process, even when this process is killed."""

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.launch.run"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )


class SpendAI(System):
    """SpendAI as one of the compared systems. calls: how many the upstream counted; the ledger must have all."""

    name, path = "SpendAI", "/api/v1/proxy/chat/completions"

    def __init__(self, upstream: int, folder: Path, workers: int = 2) -> None:
        super().__init__(upstream, folder)
        self.home = new_home()
        self.product = Run(self.home, f"http://127.0.0.1:{upstream}/v1", WORKERS=str(workers), **PRODUCTION)
        self.port, self.calls = self.product.port, 0

    def start(self) -> None:
        self.product.start()
        self.product.whole(0)
        if "Authorization" not in self.headers:
            self.headers = {"Authorization": f"Bearer {self.product.key()}"}

    @property
    def pid(self) -> int:
        """Process id of the launcher, the parent of gunicorn and Postgres."""
        return self.product.process.pid

    def stop(self) -> None:
        """Stop it and delete everything it wrote."""
        try:
            if hasattr(self.product, "process"):
                self.product.stop()
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    def memory(self) -> float:
        """MB of gunicorn's master and its workers, without Postgres and without the launcher, which only watches."""
        return memory_mb(self.product.gateway())

    def other_memory(self) -> tuple[float, float]:
        """MB of Postgres, shared buffers counted once, and of the launcher."""
        return memory_mb([p for root in self.product.postmasters() for p in tree(root)]), memory_mb([self.pid])

    def priced(self, wanted: int, seconds: float = 30) -> dict[str, int]:
        """Rows settled and priced, and rows in all; waits for the wanted number of rows, at most so many seconds."""
        limit = time.monotonic() + seconds
        while True:
            row = self.product.rows(COUNT)[0]
            if row["priced"] == row["calls"] >= wanted or time.monotonic() > limit:
                return row
            time.sleep(0.1)

    def restart_seconds(self) -> float:
        """From `make run` on this folder's data to the first answered call."""
        self.product.stop()
        environ = {"MAKEFLAGS": "", "ARGS": ""} | self.product.environ
        begin = time.monotonic()
        make = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        try:
            while time.monotonic() < begin + 60:
                with suppress(OSError):
                    if b'"usage"' in self.call(CHAT):
                        return time.monotonic() - begin
                time.sleep(0.005)
            raise tools.Missing("`make run` did not answer within a minute")
        finally:
            for child in children(make.pid, "webapp.launch.run"):  # it stops its parts in order, then make ends
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                make.wait(30)
            end(make)


def new_home() -> Path:
    """An empty folder in CACHE, or in /var/tmp when the user that Postgres runs as may not enter CACHE."""
    tools.CACHE.mkdir(parents=True, exist_ok=True)
    for place in (tools.CACHE, Path("/var/tmp")):
        home = Path(tempfile.mkdtemp(prefix="home-", dir=place))
        home.chmod(0o755)
        user = account()
        if user is None or may_enter(user, home):
            return home
        home.rmdir()
    raise tools.Missing("no folder that Postgres' user may enter")
