"""One burst of calls against one system, made by wrk, and what it cost."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import NamedTuple

from bench.procs import cpu_seconds, tree
from bench.systems import System, Upstream
from bench.tools import find
from webapp.config import ROOT
from webapp.postgres.cluster import die_with_parent

_WORDS = "Answer in short, plain sentences. " * 22
_CHAT = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": f"You are a helpful assistant. {_WORDS}"},
        {"role": "user", "content": "Why is the sky blue?"},
    ],
}
BODIES = {"JSON": _CHAT, "SSE": _CHAT | {"stream": True}}


class Burst(NamedTuple):
    """What one burst showed. calls: answered in full; rate: calls per second; p50, p99: latency in milliseconds.

    cpu: seconds per 1,000 calls; bad: calls that failed. A burst with any failed call is invalid.
    """

    calls: int
    rate: float
    p50: float
    p99: float
    cpu: float
    bad: int


def burst(system: System, kind: str, connections: int, seconds: int, running: Upstream) -> Burst:
    """Call the system for some seconds over kept-alive connections; returns once no more calls reach the upstream.

    CPU is counted until then and divided by all calls that reached the upstream, also by those that wrk cut off.
    """
    body = system.folder / f"{kind}.json"
    body.write_text(json.dumps(BODIES[kind]))
    command = [find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency"]
    for name, value in system.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(ROOT / "bench/post.lua"), system.url, "--", str(body)]
    pids = tree(system.pid) if system.pid else []
    posts, cpu = running.posts("posts"), cpu_seconds(pids)
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    posts = quiet(running) - posts
    cpu = cpu_seconds(pids) - cpu
    said = json.loads(done.stdout.splitlines()[-1])
    rate, per_call = said["calls"] / said["seconds"], cpu / max(posts, 1)
    return Burst(said["calls"], rate, said["p50_ms"], said["p99_ms"], per_call * 1000, said["bad"])


def quiet(running: Upstream) -> int:
    """Wait until no more calls arrive: some proxies go on with calls whose client left. Returns all calls so far."""
    end, seen = time.monotonic() + 15, -1
    while seen != (now := running.posts("posts")) and time.monotonic() < end:
        seen = now
        time.sleep(0.15)
    return seen
