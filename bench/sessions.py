"""Sessions over WebSocket: 1,000 that are idle and 200 that talk, through each system, and straight to the upstream.

A talking session asks for one response after the other. Three loads follow each other: responses of 10 messages, one
every 100 ms, as a voice comes, for the latency; the same without pauses, for responses a second; responses of 110
messages, so that the difference tells what a message costs. Meanwhile every idle session sends a ping.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import machine, tools
from bench.procs import cpu_seconds, tree
from bench.spendai import SpendAI
from bench.spoken import Clients, Said, SpokenDirect, SpokenLiteLLM, SpokenNginx, SpokenSpendAI, SpokenUpstream
from bench.systems import System
from bench.tables import number, table
from bench.versus import folder_of, say

IDLE, TALKING = 1000, 200
SHORT, LONG, PAUSE_MS = 10, 110, 100  # messages of a response; the pause between two of them
SECONDS = 10  # of each load
COUNTS = ("responses", "failed", "unfinished", "pings", "pongs")


class Load(NamedTuple):
    """What talking sessions did (said; times in µs), and the seconds of CPU that the system took for it."""

    said: Said
    cpu: float

    @property
    def per_response(self) -> float:
        """CPU seconds of one response."""
        return self.cpu / max(1, self.said["responses"])

    @property
    def rate(self) -> float:
        """Responses a second."""
        return self.said["responses"] / self.said["seconds"]


class Figures(NamedTuple):
    """One system on one path. kilobytes: memory of an idle session."""

    system: str
    path: str
    opened: Said
    kilobytes: float
    paced: Load
    short: Load
    long: Load

    @property
    def per_delta(self) -> float:
        """CPU seconds of one message that begins and ends nothing."""
        return (self.long.per_response - self.short.per_response) / (LONG - SHORT)

    @property
    def whole(self) -> bool:
        """Whether every session was opened and stayed, every response ended, and every ping was answered."""
        loads = [load.said for load in (self.paced, self.short, self.long)]
        broken = [self.opened["failed"], *(said["failed"] + said["unfinished"] for said in loads)]
        return (
            self.opened["opened"] == IDLE and not any(broken) and all(s["pongs"] == s["pings"] == IDLE for s in loads)
        )


def load(system: System, clients: Clients, events: int, pause_ms: int) -> Load:
    """One load."""
    pids = tree(system.pid) if system.pid else []
    before = cpu_seconds(pids)
    said = clients.talk(TALKING, events, pause_ms, SECONDS)
    return Load(said, cpu_seconds(pids) - before)


def figures(system: System, path: str) -> Figures:
    """Run all loads of a path."""
    say(f"{system.name}, {path}: {IDLE:,} idle sessions, {TALKING} that talk")
    with Clients(system, path) as warming:
        warming.open(TALKING)
        warming.talk(TALKING, SHORT, 0, 1)
    time.sleep(1)
    before = system.memory()
    with Clients(system, path) as clients:
        opened = clients.open(IDLE)
        time.sleep(1)
        kilobytes = (system.memory() - before) * 1000 / max(1, opened["opened"])
        clients.open(TALKING)
        loads = [load(system, clients, *each) for each in ((SHORT, PAUSE_MS), (SHORT, 0), (LONG, 0))]
    return Figures(system.name, path, opened, kilobytes, *loads)


def run(folder: Path) -> tuple[str, bool]:
    """The tables as Markdown, and whether SpendAI kept every session and lost no response."""
    found, notes, versions = [], [], {}
    with SpokenUpstream(0, folder_of(folder, "upstream")) as upstream:
        for kind in (SpokenDirect, SpokenNginx, SpokenLiteLLM, SpokenSpendAI):
            with ExitStack() as stack:
                system = kind(upstream.port, folder_of(folder, kind.name))
                before = upstream.responses()
                try:
                    stack.enter_context(system)
                except tools.Missing as error:
                    if kind is SpokenSpendAI:
                        raise
                    notes.append(f"{system.name} is left out: {error}.")
                    continue
                versions[system.name] = system.version.strip()
                found += [figures(system, path) for path in system.spoken]
                if isinstance(system, SpendAI):
                    notes.append(settled(system, upstream.responses() - before))
    notes += _broken(found)
    good = all(each.whole for each in found if each.system == "SpendAI") and "DIFFER" not in "".join(notes)
    return "\n\n".join([f"{machine.facts()}; {machine.versions(versions)}.", tabled(found), *notes]), good


def settled(system: SpendAI, responses: int) -> str:
    """A sentence: whether each response that the upstream was asked for has a row with a price."""
    row = system.priced(responses, 90)
    same = "nothing is lost" if row["priced"] == row["calls"] == responses else "THEY DIFFER"
    return f"{responses:,} responses were asked of the upstream, {row['priced']:,} are settled and priced: {same}."


def _broken(found: list[Figures]) -> Iterator[str]:
    """A sentence for each system that did not keep all of it up."""
    for each in (one for one in found if not one.whole):
        counts = [[load.said[what] for what in COUNTS] for load in (each.paced, each.short, each.long)]
        told = f"{each.opened['opened']:,} of {IDLE:,} idle sessions were opened"
        yield f"{each.system}, {each.path}: {told}; {', '.join(COUNTS)} of the three loads: {counts}."


def tabled(found: list[Figures]) -> str:
    """A line for each system and path: latencies of direct, and what the others add to them."""
    head = ["", "opened a second", "a message + p50 / p99 ms", "a response + p50 / p99 ms", "pong p50 / p99 ms"]
    head += ["responses a second", "CPU s per 1,000 responses", "CPU s per 1,000 deltas", "KB an idle session"]
    rows = []
    for each in found:
        direct = next(other for other in found if other.system == "direct" and other.path == each.path)
        row = [f"{each.system}, {each.path}", number(each.opened["opened"] / each.opened["seconds"])]
        row += [_latency(each, direct, what) for what in ("delta_us", "whole_us")]
        row += [" / ".join(number(ms) for ms in _ms(each, "pong_us")), number(each.short.rate)]
        costs = [each.short.per_response * 1000, each.per_delta * 1000, each.kilobytes]
        rows.append([*row, *(["–"] * 3 if each is direct else map(number, costs))])
    return table(head, rows)


def _ms(each: Figures, what: str) -> list[float]:
    """p50 and p99 with pauses between the messages, in ms."""
    told = each.paced.said[what] or {"p50": float("inf"), "p99": float("inf")}
    return [told[share] / 1000 for share in ("p50", "p99")]


def _latency(each: Figures, direct: Figures, what: str) -> str:
    if each is direct:
        return " / ".join(map(number, _ms(each, what))) + " (whole)"
    return " / ".join(number(ours - theirs) for ours, theirs in zip(_ms(each, what), _ms(direct, what), strict=True))
