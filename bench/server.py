"""What does each override of gunicorn gain? Processor time per request with all, with none, and with all but one.

    python bench/server.py

Every variant is a gunicorn of its own with a trivial application. All of them run, and take turns in random order, over
16 kept-alive connections on 127.0.0.1. JSON is an answer of 1 KB, SSE a stream of 10 events. Processor time is what the
worker counts for itself, so other load on the machine changes it less than it changes wall time. Per request:

    µs         microseconds of processor time of the worker
    more, ×    difference and ratio to "all overrides" of the same round
    per CPU s  requests that one fully used core answers in a second

Medians of the rounds. "gevent's StreamServer" does the same work per request as "all overrides": differences as small
as in its row mean nothing. Of 2 workers: how many of 16 connections the worker with most of them holds (median, range).
Takes about a minute and prints Markdown.
"""
# ruff: noqa: E402

from __future__ import annotations

import gzip
import selectors
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median

from flask import Flask

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / folder) for folder in ("", "tests", "tests/webapp")]

from bench import machine, tables
from bench.server_variants import VARIANTS
from webapp import compress
from webapp.config import ROOT

CONNECTIONS, REQUESTS = 16, 160
ROUNDS, SECONDS = 25, 25  # after one that is not counted; rounds are left out once so many seconds have passed
TRIALS, LAPS = 11, 5  # of the comparison of shares
BODY = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"%s"}]}' % (b"word " * 150)
LINES = [
    "Host: 127.0.0.1:8000", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "Accept: application/json",
    "Content-Type: application/json", "User-Agent: OpenAI/Python 3.54.0", "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 3.54.0", "X-Stainless-OS: Linux", "X-Stainless-Arch: x64",
    "X-Stainless-Runtime: CPython", "X-Stainless-Runtime-Version: 3.11.7", "Authorization: Bearer sk-none",
    "X-Stainless-Async: false", "x-stainless-retry-count: 0", "x-stainless-read-timeout: 600",
]  # fmt: skip
ENDS = {"/json": b"}", "/work": b"}", "/cpu": b"}", "/stream": b"\r\n0\r\n\r\n"}  # last bytes of an answer


def request(path: str) -> bytes:
    """A POST as OpenAI's SDK sends it."""
    lines = [f"POST {path} HTTP/1.1", *LINES, f"Content-Length: {len(BODY)}", "", ""]
    return "\r\n".join(lines).encode() + BODY


def receive(sock: socket.socket, path: str) -> bytes:
    """Read one answer to its end and return its last bytes. Raises RuntimeError if it is not a complete 200."""
    answer = sock.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"unexpected answer to {path}: {answer[:80]!r}")
    while not answer.endswith(ENDS[path]):
        if not (more := sock.recv(65536)):
            raise RuntimeError(f"the answer to {path} ended early")
        answer += more
    return answer[-64:]


class Server:
    """A gunicorn of one variant and connections to it."""

    def __init__(self, variant: str, workers: int, opened: ExitStack) -> None:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        self.address = listener.getsockname()
        command = [
            sys.executable,
            str(ROOT / "bench/server_variants.py"),
            variant,
            str(workers),
            str(listener.fileno()),
        ]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
        opened.callback(process.wait)
        opened.callback(process.terminate)

    def connect(self, opened: ExitStack, count: int = 1) -> list[socket.socket]:
        """``count`` new connections at once; when this returns, a worker has accepted each."""
        made = [opened.enter_context(socket.create_connection(self.address, timeout=30)) for _ in range(count)]
        for sock in made:
            sock.sendall(request("/cpu"))
        for sock in made:
            receive(sock, "/cpu")
        return made


def worker_of(sock: socket.socket) -> tuple[int, int]:
    """Process id of the worker that holds a connection, and its processor time in ns."""
    sock.sendall(request("/cpu"))
    pid, spent = receive(sock, "/cpu").split(b"\r\n\r\n")[-1].strip(b"}").split()
    return int(pid), int(spent)


def burst(sockets: list[socket.socket], path: str) -> float:
    """µs of processor time per request, of a server with one worker: all connections ask, then all answers are read."""
    asked, before = request(path), worker_of(sockets[0])[1]
    for _ in range(REQUESTS // CONNECTIONS):
        for sock in sockets:
            sock.sendall(asked)
        for sock in sockets:
            receive(sock, path)
    return (worker_of(sockets[0])[1] - before) / REQUESTS / 1000


def overrides() -> str:
    """The table of what each override gains."""
    costs: dict[tuple[str, str], list[float]] = {(name, path): [] for name in VARIANTS for path in ("/json", "/stream")}
    cells, order = list(costs), Random(1)
    with ExitStack() as opened:
        servers = {name: Server(name, 1, opened) for name in VARIANTS}
        sockets = {name: server.connect(opened, CONNECTIONS) for name, server in servers.items()}
        end, done = time.monotonic() + SECONDS, 0
        while done <= ROUNDS and time.monotonic() < end:
            order.shuffle(cells)
            for name, path in cells:
                costs[name, path].append(burst(sockets[name], path))
            done += 1
    warm = {cell: found[1:] for cell, found in costs.items()}
    return f"Medians of {done - 1} rounds.\n\n{_table(warm)}"


def _table(costs: dict[tuple[str, str], list[float]]) -> str:
    rows = []
    for name in VARIANTS:
        row = [name]
        for path in ("/json", "/stream"):
            found, base = costs[name, path], costs["all overrides", path]
            pairs = list(zip(found, base, strict=True))
            row += [tables.number(median(found)), f"{median(mine - all_ for mine, all_ in pairs):+.0f}"]
            row += [f"{median(mine / all_ for mine, all_ in pairs):.2f}", f"{1e6 / median(found):,.0f}"]
        rows.append(row)
    head = [f"{kind} {what}" for kind in ("JSON", "SSE") for what in ("µs", "more", "×", "per CPU s")]
    return tables.table(["", *head], rows)


def shares() -> str:
    """The table of connections per worker and latency with two workers."""
    kinds = {"SharingServer": "all overrides", "gevent's StreamServer": "gevent's StreamServer"}
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in kinds}
    with ExitStack() as opened:
        servers = {name: Server(variant, 2, opened) for name, variant in kinds.items()}
        for server in servers.values():
            while _one_by_one(server) == CONNECTIONS:  # until both workers have started
                pass
        for _ in range(TRIALS):
            for name, server in servers.items():
                found[name].append((_one_by_one(server), *_together(server)))
    rows = [[name, *map(tables.spread, zip(*found[name], strict=True))] for name in kinds]
    return tables.table(["2 workers, 16 connections", "one by one", "at once", "p99, ms"], rows)


def _held(sockets: list[socket.socket]) -> int:
    """How many of these connections the worker with most of them has."""
    pids = [worker_of(sock)[0] for sock in sockets]
    return max(map(pids.count, pids))


def _one_by_one(server: Server) -> int:
    """Connections of the worker with most of them, when each one opens after the one before it was answered."""
    with ExitStack() as opened:
        return _held([server.connect(opened)[0] for _ in range(CONNECTIONS)])


def _together(server: Server) -> tuple[int, float]:
    """All connections at once: how many the worker with most of them has, and the 99th percentile of latency in ms."""
    with ExitStack() as opened:
        sockets = server.connect(opened, CONNECTIONS)
        most, times = _held(sockets), sorted(latencies(sockets))
    return most, times[len(times) * 99 // 100] * 1000


def latencies(sockets: list[socket.socket]) -> list[float]:
    """Seconds each answer took; every connection asks for 1 ms of work again as soon as it was answered."""
    asked, started, found = request("/work"), {}, []
    with selectors.DefaultSelector() as waiting:
        for sock in sockets:
            waiting.register(sock, selectors.EVENT_READ)
            started[sock] = time.perf_counter()
            sock.sendall(asked)
        while len(found) < CONNECTIONS * LAPS:
            for key, _ in waiting.select():
                receive(key.fileobj, "/work")
                found.append(time.perf_counter() - started[key.fileobj])
                started[key.fileobj] = time.perf_counter()
                key.fileobj.sendall(asked)
        for sock in sockets:
            receive(sock, "/work")
    return found


def compression() -> str:
    """The table of webapp/compress.py: the largest static file, compressed anew for each request or only once."""
    app = Flask("bench", root_path=str(ROOT), static_folder=str(ROOT / "webapp/static"))
    compress.init_app(app)
    name, client = "vendor/plotly-basic.min.js", app.test_client()
    data = (ROOT / "webapp/static" / name).read_bytes()
    small = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}).data

    def milliseconds(encoding: str) -> float:
        start = time.process_time()
        for _ in range(20):
            client.get(f"/static/{name}", headers={"Accept-Encoding": encoding}).close()
        return (time.process_time() - start) * 50

    start = time.process_time()
    gzip.compress(data, 6)
    each = (time.process_time() - start) * 1000
    rows = [
        ["as it is", f"{len(data):,}", tables.number(milliseconds("identity"))],
        ["compressed once and kept", f"{len(small):,}", tables.number(milliseconds("gzip"))],
        ["compressed for each request (level 6)", f"{len(gzip.compress(data, 6)):,}", tables.number(each)],
    ]
    return tables.table([Path(name).name, "bytes", "ms of processor time"], rows)


if __name__ == "__main__":
    print(machine.busy(), f"{machine.facts()}.", sep="\n\n")
    for part in (overrides, shares, compression):
        print(f"\n{part()}", flush=True)
