"""`make run`, once everything is installed: starts Postgres and the gateway, and keeps both running.

Both are child processes, which on Linux the kernel ends when this process ends, even by SIGKILL.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import psycopg

from webapp import db
from webapp.config import ROOT, Config, ConfigError, load
from webapp.launch.supervised import Part, Running
from webapp.postgres import embedded
from webapp.postgres.cluster import die_with_parent
from webapp.postgres.migrations import MigrationError, migrate
from webapp.postgres.programs import ClusterError, say

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Raised by the handler of the first stop signal, wherever the launcher is."""


class StartError(Exception):
    """SpendAI cannot start; the message says why."""


class GatewayProcess:
    """gunicorn with its workers. The launcher owns the listening socket, so clients wait while gunicorn restarts."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self.seconds = config.drain_seconds + 15  # gunicorn's own limit is 5 seconds shorter
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b", f"fd://{listener.fileno()}"]
        self.process = subprocess.Popen(  # noqa: S603
            [*command, "wsgi:app"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C must reach the launcher only, which stops everything in order
            preexec_fn=die_with_parent(signal.SIGQUIT),  # noqa: PLW1509
        )

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Let calls under way finish, then end it. Workers whose gunicorn master has died get a second to end."""
        if self.alive():
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.seconds)
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGQUIT)
                self._wait_for_workers()
        self.kill()
        self.process.wait()

    def _wait_for_workers(self) -> None:
        """Wait up to a second for the workers to end. Raises ProcessLookupError as soon as none is left."""
        end = time.monotonic() + 1
        while time.monotonic() < end:
            os.killpg(self.process.pid, 0)
            time.sleep(0.02)

    def kill(self) -> None:
        """Send SIGKILL to master and workers; does not wait, because a signal handler may call it during ``stop``."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Launcher:
    """One `make run`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stopping = False
        self.parts: list[Part] = []
        for number in STOP_SIGNALS:
            under_nohup = number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
            if not under_nohup:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """First signal: stop in order. Every further signal: do not wait for calls under way."""
        if not self.stopping:
            self.stopping = True
            raise Stop
        for part in self.parts:
            if isinstance(part.running, GatewayProcess):
                part.running.kill()

    def run(self) -> None:
        """Start everything, print the welcome, and keep it running until Stop is raised.

        Raises StartError, ClusterError, MigrationError, OSError or psycopg.Error when SpendAI cannot start.
        """
        config = self.config
        config.home.mkdir(parents=True, exist_ok=True)
        with open(config.home / f"run-{config.port}.lock", "w") as lock:
            if not self._first(lock.fileno()):
                print(f"SpendAI is already running at {config.public_url}", flush=True)
                return
            with listen(config) as listener:
                try:
                    self._start(listener)
                    while True:
                        time.sleep(0.1)
                        for part in self.parts:
                            part.look()
                finally:
                    self.stopping = True
                    listener.close()
                    for part in reversed(self.parts):
                        part.stop()

    def _first(self, lock: int) -> bool:
        """Whether no other launcher runs with this SPENDAI_HOME and PORT.

        Waits up to a minute for another one that is starting or ending; raises StartError after it.
        """
        end = time.monotonic() + 60
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if healthy(self.config):
                return False
            if time.monotonic() > end:
                raise StartError("another `make run` with this SPENDAI_HOME and PORT runs, but does not answer")
            time.sleep(0.1)

    def _start(self, listener: socket.socket) -> None:
        config, dsn = self.config, self.config.database_url
        if config.embedded:
            dsn = self._add("Postgres", lambda: embedded.ensure(config)).owner_dsn
        migrate(dsn, passwords=db.passwords(config))
        gateway = self._add("the gateway", lambda: GatewayProcess(config, listener))
        tell_unreadable(config, dsn)
        while not healthy(config):
            if not gateway.alive():
                raise StartError("the gateway did not start: see the messages above")
            time.sleep(0.02)
        print(welcome(config), flush=True)

    def _add(self, name: str, start: Callable[[], Running]) -> Any:
        part = Part(name, start)
        part.begin()
        self.parts.append(part)
        return part.running


def tell_unreadable(config: Config, owner_dsn: str) -> None:
    """Say how many stored OpenAI keys the gateway cannot decrypt, if any.

    The import is here because it takes its time, in which the gateway starts.
    """
    from webapp.secrets.stored import unreadable  # noqa: PLC0415

    with psycopg.connect(owner_dsn, prepare_threshold=None) as conn:
        if wrong := unreadable(conn, config):
            say(wrong)


def listen(config: Config) -> socket.socket:
    """The listening socket on HOST:PORT. Raises StartError.

    A port in use is tried for two seconds, since the gateway of a launcher that was killed may be about to end.
    """
    end = time.monotonic() + 2
    while True:
        try:
            family, *_, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
            both = config.host == "::" and socket.has_dualstack_ipv6()
            return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=both)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno)
                raise StartError(f"HOST {config.host}, PORT {config.port}: {why}") from None
            if time.monotonic() > end:
                raise StartError(f"PORT {config.port} is used by another program; set PORT to a free one") from None
            time.sleep(0.05)


def healthy(config: Config) -> bool:
    """Whether /healthz answers 200 at HOST:PORT."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, config.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def welcome(config: Config) -> str:
    """The text printed after the start: the URL, where calls go, a call to copy."""
    url = config.public_url
    upstream = f"Calls go to {config.openai_base_url}."
    if not config.openai_api_key:
        upstream = "No OPENAI_API_KEY is set: calls are answered by the sandbox, not by OpenAI."
    return f"""\
SpendAI runs at {url}
{upstream}
Sign up or log in there, create a project and a key, and put the key into this call:

curl {url}/api/v1/proxy/chat/completions \\
  -H "Authorization: Bearer sk-spend-…" -H "Content-Type: application/json" \\
  -d '{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}}'
"""


def main() -> int:
    """Exit status: 0 stopped by a signal, or already running; 1 cannot start; 2 a setting is wrong."""
    try:
        Launcher(load()).run()
    except Stop:
        return 0
    except ConfigError as error:
        say(str(error))
        return 2
    except (StartError, ClusterError, MigrationError, OSError, psycopg.Error) as error:
        say(str(error).strip())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
