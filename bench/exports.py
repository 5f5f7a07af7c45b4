"""What do files of very many calls take? ``.venv/bin/python -m bench.exports [CALLS]``, by default a million.

A temporary server is filled by SQL. The admin of the company with 90 % of the calls downloads files of all of them
through one gunicorn worker: seconds to the first and to the last byte, size, and the most memory the worker ever held.
/healthz is asked for meanwhile, again and again: its slowest answer tells how long other requests of the worker wait.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import requests
from stack import SECRETS, free_port

from bench import ledger_rows, rows
from bench.tables import table
from bench.versus import say
from webapp import db
from webapp.config import ROOT, load
from webapp.postgres.cluster import SUPERUSER
from webapp.postgres.migrations import migrate

FILES = ("/spend.xlsx?by=key", "/calls.csv", "/calls.xlsx", "/calls.csv?sort=cost")
HEADER = ["file", "seconds to the first byte", "to the last", "MB", "MiB of the worker", "slowest /healthz, ms"]


def main(calls: int) -> str:
    """All figures as Markdown."""
    with tempfile.TemporaryDirectory(prefix="spendai-exports-") as folder, rows._server(Path(folder)) as server:
        with psycopg.connect(server.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create database exports owner postgres")
        admin, owner = (server.dsn(who, "temporary", "exports") for who in (SUPERUSER, "postgres"))
        with psycopg.connect(admin) as conn:
            rows._supabase(conn)
        environ = SECRETS | {
            "DATABASE_URL": owner, "SPENDAI_HOME": f"{folder}/home", "DATABASE_PREPARED": "1", "WORKERS": "1",
            "PORT": str(free_port()),
        }  # fmt: skip
        migrate(owner, passwords=db.passwords(load(environ)))
        say(f"{calls:,} calls")
        ledger_rows.fill(admin, calls)
        with _gateway(environ) as (url, process):
            browser = _signed_in(url)
            return table(HEADER, [[address, *_download(browser, url + address, process)] for address in FILES])


@contextmanager
def _gateway(environ: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Address and process of gunicorn."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    url = f"http://127.0.0.1:{environ['PORT']}"
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environ) as process:
        rows._until(lambda: requests.get(f"{url}/readyz", timeout=5).ok)
        yield url, process.pid
        process.terminate()


def _signed_in(url: str) -> requests.Session:
    browser = requests.Session()
    token = re.search(r'name="csrf_token" value="([^"]*)"', browser.get(f"{url}/login").text)[1]
    words = {"csrf_token": token, "email": "large@bench.test", "password": ledger_rows.PASSWORD}
    browser.post(f"{url}/login", data=words, headers={"Origin": url}).raise_for_status()
    return browser


def _download(browser: requests.Session, address: str, process: int) -> list[str]:
    """The figures of one file of the last year."""
    year = (datetime.now(UTC) - timedelta(days=365)).date()
    address += ("&" if "?" in address else "?") + f"from={year}"
    begun, size, first = time.monotonic(), 0, 0.0
    with _asking(address) as taken, browser.get(address, stream=True, timeout=600) as answer:
        answer.raise_for_status()
        for part in answer.iter_content(65_536):
            first = first or time.monotonic() - begun
            size += len(part)
        last = time.monotonic() - begun
    return [f"{first:.1f}", f"{last:.0f}", f"{size / 1e6:.1f}", f"{_resident(process)}", f"{max(taken):.0f}"]


@contextmanager
def _asking(address: str) -> Iterator[list[float]]:
    """Milliseconds of answers of /healthz, which is asked for until the block ends."""
    taken, over = [], threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            begun = time.perf_counter()
            requests.get(re.sub(r"(//[^/]+).*", r"\1/healthz", address), timeout=60)
            taken.append((time.perf_counter() - begun) * 1000)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def _resident(process: int) -> int:
    """Most MiB that a worker of a process has held so far."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    found = [re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{child}/status").read_text())[1] for child in children]
    return max(map(int, found)) // 1024


if __name__ == "__main__":
    print(main(int((sys.argv[1:] or ["1000000"])[0])))
