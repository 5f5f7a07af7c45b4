"""Processes and folders for the tests of the launcher and the embedded Postgres."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webapp.config import ROOT


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)


@contextmanager
def empty_folder(prefix: str = "spendai-test-") -> Iterator[Path]:
    """A folder that the user Postgres runs as may enter, as pytest's own is not; in memory where possible."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def living(pids: list[int]) -> bool:
    """Whether one of them runs; a zombie does not."""
    return any(Path(f"/proc/{pid}/cwd").exists() for pid in pids)


def processes_on(folder: Path) -> list[int]:
    """Living processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def signal_all(folder: Path, number: signal.Signals) -> None:
    """Send a signal to every process that works in a folder."""
    for pid in processes_on(folder):
        with suppress(ProcessLookupError):  # it has just ended, as the session of a pool does at any time
            os.kill(pid, number)


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """The processes that work in a folder stand still inside of the block.

    Of a Postgres server this is the hardest kind of away: no refused connection, no error, just silence.
    """
    try:
        signal_all(folder, signal.SIGSTOP)
        yield
    finally:
        signal_all(folder, signal.SIGCONT)


def children(pid: int, word: str = "") -> list[int]:
    """Living child processes whose command line contains a word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z" and word in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Launcher:
    """`python -m webapp.launch.run` of one home and port; ``said`` are its lines on stderr so far."""

    def __init__(self, home: Path, port: int, **settings: str) -> None:
        self.home, self.port = home, port
        self.errors = tempfile.NamedTemporaryFile("w+", prefix="spendai-test-")  # noqa: SIM115
        environ = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "OPENAI_API_KEY")}
        environ |= {"SPENDAI_HOME": str(home), "PORT": str(port), "WORKERS": "1"} | settings
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp.launch.run"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    @property
    def said(self) -> list[str]:
        return Path(self.errors.name).read_text().splitlines()

    def welcome(self) -> str:
        """What it prints when it is up."""
        lines = [self.process.stdout.readline()]
        while lines[-1].strip() != "" or len(lines) < 5:
            assert lines[-1], self.said
            lines.append(self.process.stdout.readline())
        return "".join(lines)

    def child(self, word: str) -> int:
        until(lambda: len(children(self.process.pid, word)) == 1, f"one {word} runs")
        return children(self.process.pid, word)[0]

    def end(self) -> tuple[int, str]:
        """Exit status and everything it still had to say on stdout."""
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end()[0]
