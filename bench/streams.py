"""Many streams at once: time to the first token, streams that were cut, memory; also with clients that read slowly.

Streams have 50 events, one every 100 ms, so each takes 5 seconds. For a wave of 1,000 streams at once, 200 start each
second for 10 seconds: after 5 seconds 1,000 are under way, then each that ends is replaced; 2,000 run in all.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import machine, tools
from bench.load import BODIES
from bench.procs import cpu_seconds, tree
from bench.spendai import SpendAI
from bench.systems import Direct, LiteLLM, Nginx, Portkey, System, Upstream
from bench.tables import number, table, verdict
from bench.versus import folder_of, say, upstream
from webapp.postgres.cluster import die_with_parent

EVENTS, PAUSE_MS = 50, 100
RAMP = EVENTS * PAUSE_MS / 1000  # seconds that a stream takes
AT_ONCE = (1000, 3000)
SLOW_EVERY = 40  # of so many streams one reads slowly and one stops reading: 5 %
SECONDS = 150  # the longest wave


class Wave(NamedTuple):
    """One wave. said: what streams.c counted, times in ms; cpu: seconds per 1,000 streams; memory: the peak, in MB."""

    system: str
    at_once: int
    slow: bool
    said: dict[str, object]
    cpu: float
    memory: float

    @property
    def cut(self) -> int:
        """Number of streams that were refused or ended early."""
        return sum(int(self.said[name]) for name in ("cut", "slow_cut", "refused"))

    def ms(self, what: str, share: str) -> float:
        """share (p50, p99 or max) of what: first_ms, until the first token, or late_ms, how late the last one came."""
        figures = self.said[what]
        return figures[share] if isinstance(figures, dict) else float("inf")


def wave(system: System, at_once: int, slow_every: int) -> Wave:
    """Send a wave of streams through the system. at_once: streams under way; slow_every: see SLOW_EVERY; 0: none."""
    arguments = [system.port, 2 * at_once, at_once / RAMP, EVENTS, PAUSE_MS, slow_every, SECONDS]
    for name, body in (("usual", BODIES["SSE"]), ("wide", BODIES["SSE"] | {"user": "bench-wide"})):
        (system.folder / name).write_bytes(_request(system, body))
        arguments.append(system.folder / name)
    pids = tree(system.pid) if system.pid else []
    cpu = cpu_seconds(pids)
    program = [str(tools.compiled("streams")), *map(str, arguments)]
    dies = die_with_parent(signal.SIGKILL)
    with subprocess.Popen(program, stdout=subprocess.PIPE, preexec_fn=dies) as client:  # noqa: PLW1509
        try:
            time.sleep(RAMP)
            peak = max(_memories(system))
            said = json.loads(client.communicate(timeout=SECONDS + 30)[0])
        finally:
            client.kill()
    cpu = (cpu_seconds(pids) - cpu) / (2 * at_once) * 1000
    return Wave(system.name, at_once, slow_every > 0, said, cpu, peak)


def _memories(system: System) -> Iterator[float]:
    """MB, read once a second while the full number of streams is under way."""
    for _ in range(round(RAMP)):
        time.sleep(1)
        yield system.memory()


def _request(system: System, body: dict[str, object]) -> bytes:
    """A whole HTTP request."""
    text = json.dumps(body).encode()
    headers = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": len(text)} | system.headers
    lines = [f"POST {system.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def settled(system: SpendAI, running: Upstream, before: int) -> str:
    """A sentence: whether all streams that reached the upstream are settled and priced, whether or not clients left."""
    system.calls += running.posts() - before
    row = system.priced(system.calls, 90)
    same = "nothing is lost" if row["priced"] == row["calls"] == system.calls else "THEY DIFFER"
    return f"{system.calls:,} streams reached the upstream, {row['priced']:,} are settled and priced: {same}."


def run(folder: Path, *, peers: bool) -> tuple[str, bool]:
    """All waves as Markdown, and whether SpendAI cut none and lost none."""
    waves, notes, versions, idle = [], [], {}, {}
    with upstream(folder, EVENTS, PAUSE_MS) as running:
        for kind in (Direct, Nginx, *([LiteLLM, Portkey] if peers else []), SpendAI):
            with ExitStack() as stack:
                system = kind(running.port, folder_of(folder, kind.name))
                try:
                    stack.enter_context(system)
                except tools.Missing as error:
                    if kind is SpendAI:
                        raise
                    notes.append(f"{system.name} is left out: {error}.")
                    continue
                versions[system.name] = system.version.strip()
                ours = isinstance(system, SpendAI)
                if ours:
                    system.calls = system.priced(1)["calls"]
                before, idle[system.name] = running.posts(), system.memory()
                for at_once, slow in [(n, 0) for n in AT_ONCE] + [(n, SLOW_EVERY) for n in AT_ONCE if ours]:
                    say(f"{system.name}: {at_once:,} streams at once" + (", some of them slow" if slow else ""))
                    waves.append(wave(system, at_once, slow))
                if ours:
                    notes.append(settled(system, running, before))
    text = f"{machine.facts()}; {machine.versions(versions)}."
    good = not any(each.cut for each in waves if each.system == "SpendAI") and "DIFFER" not in "".join(notes)
    return "\n\n".join([text, tabled(waves, idle), targets(waves), *notes]), good


def added(waves: list[Wave], each: Wave, what: str, share: str) -> float:
    """Milliseconds more than without a proxy (direct), with as many streams."""
    direct = next(other for other in waves if other.system == "direct" and other.at_once == each.at_once)
    return each.ms(what, share) - direct.ms(what, share)


def tabled(waves: list[Wave], idle: dict[str, float]) -> str:
    """A table with a line for each wave: times of direct, and what the others add. idle: MB before the first wave."""
    head = ["at once", "", "complete", "cut", "slow / stalled clients", "first token + p50 / p99 ms"]
    head += ["last token + p50 / p99 ms", "CPU s per 1,000", "KB a stream"]
    rows = []
    for each in sorted(waves, key=lambda each: (each.slow, each.at_once)):
        said, direct = each.said, each.system == "direct"
        complete = int(said["complete"]) + int(said["slow_complete"])
        row = [f"{each.at_once:,}", each.system, f"{complete:,}", str(each.cut)]
        row.append(f"{int(said['slow_complete']) + int(said['slow_cut'])} / {said['stalled']}" if each.slow else "–")
        for what in ("first_ms", "late_ms"):
            figures = [each.ms(what, s) if direct else added(waves, each, what, s) for s in ("p50", "p99")]
            row.append(" / ".join(map(number, figures)) + (" (whole)" if direct else ""))
        kilobytes = (each.memory - idle[each.system]) * 1000 / each.at_once
        rows.append([*row, *(["–"] * 2 if direct else [number(each.cpu), number(kilobytes)])])
    return table(head, rows)


def targets(waves: list[Wave]) -> str:
    """The table of targets: how much SpendAI may add to the first token, and that it cuts no stream."""
    rows = []
    for each in waves:
        if each.system == "SpendAI":
            slow = ", 5 % of them slow or stalled" if each.slow else ""
            bound, late = 25 if each.at_once <= 1000 else 100, added(waves, each, "first_ms", "p99")
            what = f"{each.at_once:,} streams{slow}"
            rows.append(
                [f"{what}: added to the first token, p99", f"≤ {bound} ms", number(late), verdict(late, bound, -1)]
            )
            rows.append([f"{what}: cut", "0", str(each.cut), verdict(each.cut, 0, -1)])
    return table(["figure", "target", "measured", ""], rows)
