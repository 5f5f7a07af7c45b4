"""The compared systems as places that let sessions over WebSocket in, the clients of those, and the upstream."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any

from bench import tools
from bench.procs import end
from bench.spendai import SpendAI
from bench.systems import Direct, LiteLLM, Nginx, Process, System
from webapp.postgres.cluster import die_with_parent

AT_ONCE = 64  # sessions that are being opened
OPEN_SECONDS = 120  # the longest time for opening all sessions
MODEL = "gpt-realtime"
PATHS = {"responses": "/responses", "realtime": f"/realtime?model={MODEL}"}
Said = dict[str, Any]


class Clients:
    """The clients of one system, a process of their own; see sessions.c, also for what its answers say."""

    def __init__(self, system: System, path: str) -> None:
        base = system.path.removesuffix("/chat/completions")
        headers = "".join(f"{name}: {value}\r\n" for name, value in system.headers.items())
        command = [str(tools.compiled("sessions")), "clients", str(system.port), base + PATHS[path], headers]
        dies = die_with_parent(signal.SIGKILL)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True,
            preexec_fn=dies,  # noqa: PLW1509
        )  # fmt: skip

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *exc: object) -> None:
        end(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def _do(self, *words: object) -> Said:
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def open(self, count: int) -> Said:
        """Open so many sessions more."""
        return self._do("open", count, AT_ONCE, OPEN_SECONDS)

    def talk(self, count: int, events: int, pause_ms: int, seconds: float) -> Said:
        """Let the newest sessions talk and the others ping."""
        return self._do("talk", count, events, pause_ms, seconds)


class Spoken(System):
    """A system that is ready when a session on one of its paths has got a response. spoken: those paths."""

    spoken: tuple[str, ...] = tuple(PATHS)

    def wait(self, seconds: float = 240) -> None:
        limit, said = time.monotonic() + seconds, {}
        while time.monotonic() < limit:
            with suppress(json.JSONDecodeError, BrokenPipeError), Clients(self, self.spoken[-1]) as clients:
                said = clients.open(1)
                if said["opened"] and clients.talk(1, 10, 0, 0)["responses"] == 1:
                    return
            time.sleep(0.5)
        raise tools.Missing(f"{self.name} did not let a session in: {said}")


class SpokenDirect(Spoken, Direct):
    """No proxy."""


class SpokenNginx(Spoken, Nginx):
    """nginx, told to pass upgrades on."""

    passes = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 600s;'


class SpokenSpendAI(Spoken, SpendAI):
    """SpendAI."""


class SpokenLiteLLM(Spoken, LiteLLM):
    """LiteLLM, in Realtime only."""

    spoken = ("realtime",)
    model = MODEL


class SpokenUpstream(Process):
    """The stand-in for OpenAI, see sessions.c."""

    name = "upstream"

    def start(self) -> None:
        self.run([str(tools.compiled("sessions")), "upstream", str(self.port)])

    def wait(self, seconds: float = 10) -> None:
        limit = time.monotonic() + seconds
        while self.responses() < 0:
            if time.monotonic() > limit:
                raise tools.Missing("the upstream does not answer")
            time.sleep(0.05)

    def responses(self) -> int:
        """Responses it was asked for so far; -1 when it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with suppress(OSError):
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())["responses"]
        return -1
