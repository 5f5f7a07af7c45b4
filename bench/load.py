"""One burst of calls against one system, made by wrk, and what it cost."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.procs import cpu_seconds, tree
from bench.systems import System
from bench.tools import find
from webapp.cluster import die_with_parent
from webapp.config import ROOT

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
    """calls: answered in full; rate: calls a second; p50, p99: milliseconds; cpu: seconds per 1,000 calls; bad: calls
    that failed, one of which makes the burst invalid."""

    calls: int
    rate: float
    p50: float
    p99: float
    cpu: float
    bad: int


def burst(system: System, kind: str, connections: int, seconds: float, folder: Path) -> Burst:
    """Call the system for so many seconds (a whole number for wrk, at least 1) over kept-alive connections."""
    body = folder / f"{kind}.json"
    body.write_text(json.dumps(BODIES[kind]))
    command = [find("wrk"), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "--latency"]
    for name, value in system.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(ROOT / "bench/post.lua"), system.url, "--", str(body)]
    pids = tree(system.pid) if system.pid else []
    before = cpu_seconds(pids)
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    cpu = cpu_seconds(pids) - before
    said = json.loads(done.stdout.splitlines()[-1])
    calls = max(said["calls"], 1)
    return Burst(
        said["calls"], said["calls"] / said["seconds"], said["p50_ms"], said["p99_ms"], cpu / calls * 1000, said["bad"]
    )
