"""The comparison: all systems take turns on one machine, against one upstream, in several rounds."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import tools
from bench.load import Burst, burst
from bench.spendai import SpendAI
from bench.systems import Direct, LiteLLM, Nginx, Portkey, System, Upstream

EVENTS = 10  # of a stream, sent at once
KINDS = ("JSON", "SSE")
CONNECTIONS = (1, 8, 64)
ENOUGH = 100_000  # calls after which the memory counts


class Plan(NamedTuple):
    """How much to measure. peers: LiteLLM and Portkey too; rounds: turns of each system; seconds: length of one burst.

    restarts: how often the time of a restart is measured.
    """

    peers: bool
    rounds: int
    seconds: int
    restarts: int


FULL, QUICK = Plan(True, 3, 3, 3), Plan(False, 2, 1, 2)
Cell = tuple[str, str, int]  # system, JSON or SSE, connections


class Result:
    """bursts: one per round; memory: (calls so far, MB) of SpendAI; ledger: rows priced, rows, calls upstream got."""

    def __init__(self) -> None:
        self.bursts: dict[Cell, list[Burst]] = {}
        self.versions: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.megabytes: dict[str, float] = {}
        self.memory: list[tuple[int, float]] = []
        self.other_megabytes = (0.0, 0.0)  # Postgres, launcher
        self.ledger = (0, 0, 0)
        self.restarts: list[float] = []

    def valid(self, cell: Cell) -> bool:
        """Whether it was measured and no call failed."""
        return cell in self.bursts and not any(each.bad for each in self.bursts[cell])

    def each(self, cell: Cell, figure: str) -> list[float]:
        """One figure of a cell (a field of Burst) in every round."""
        return [getattr(each, figure) for each in self.bursts.get(cell, [])]

    def median(self, cell: Cell, figure: str) -> float | None:
        values = self.each(cell, figure)
        return statistics.median(values) if values and self.valid(cell) else None

    def ratios(self, figure: str, kind: str, connections: int, other: str) -> list[float]:
        """SpendAI's figure divided by another's, round by round; empty when one of them is not valid."""
        ours, theirs = ("SpendAI", kind, connections), (other, kind, connections)
        if not (self.valid(ours) and self.valid(theirs)):
            return []
        return [a / b for a, b in zip(self.each(ours, figure), self.each(theirs, figure), strict=True) if b]

    def added(self, name: str, kind: str, connections: int) -> list[float]:
        """Milliseconds that a system adds to the median latency, round by round."""
        cell, direct = (name, kind, connections), ("direct", kind, connections)
        return [a - b for a, b in zip(self.each(cell, "p50"), self.each(direct, "p50"), strict=False)]


class Versus:
    """One run of the comparison; ``result`` is filled meanwhile."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder, self.result = plan, folder, Result()

    def run(self) -> Result:
        kinds = [Direct, Nginx, *([LiteLLM, Portkey] if self.plan.peers else []), SpendAI]
        with upstream(self.folder) as self.upstream, ExitStack() as stack:
            systems = [system for kind in kinds if (system := self._begun(kind, stack))]
            for system in systems:
                for kind in KINDS:  # every system is warmed up
                    self._burst(system, kind, 64, 1)
            for number in range(self.plan.rounds):
                say(f"round {number + 1} of {self.plan.rounds}")
                self._round([*systems[number % len(systems) :], *systems[: number % len(systems)]])
            for system in systems:
                self.result.megabytes[system.name] = system.memory()
            self._long(next(system for system in systems if isinstance(system, SpendAI)))
        return self.result

    def _begun(self, kind: type[System], stack: ExitStack) -> System | None:
        """Start a system. None when a program it needs is missing: then the reason is kept in ``left_out``."""
        system = kind(self.upstream.port, folder_of(self.folder, kind.name))
        try:
            stack.enter_context(system)
        except tools.Missing as error:
            if isinstance(system, SpendAI):
                raise
            self.result.left_out[system.name] = str(error)
            say(f"{system.name} is left out: {error}")
            return None
        self.result.versions[system.name] = system.version.strip()
        if isinstance(system, SpendAI):
            system.calls = system.priced(1)["calls"]
        return system

    def _round(self, systems: list[System]) -> None:
        for kind in KINDS:
            for connections in CONNECTIONS:
                for system in systems:
                    figures = self._burst(system, kind, connections, self.plan.seconds)
                    self.result.bursts.setdefault((system.name, kind, connections), []).append(figures)

    def _burst(self, system: System, kind: str, connections: int, seconds: int) -> Burst:
        before = self.upstream.posts()
        figures = burst(system, kind, connections, seconds, self.upstream)
        if isinstance(system, SpendAI):
            self._settled(system, before)
        return figures

    def _settled(self, system: SpendAI, before: int) -> None:
        """Wait until as many rows are settled and priced as calls reached the upstream; report a difference."""
        row = system.priced(system.calls + self.upstream.posts() - before)
        system.calls += self.upstream.posts() - before
        self.result.ledger = (row["priced"], row["calls"], system.calls)
        self.result.memory.append((system.calls, system.memory()))
        if row["priced"] != system.calls:
            say(f"SpendAI: {row['priced']:,} of {row['calls']:,} rows settled and priced, but {system.calls:,} calls")

    def _long(self, system: SpendAI) -> None:
        """Go on up to ENOUGH calls, to show whether memory grows; then measure restarts on the data."""
        end = time.monotonic() + 120
        while self.plan.peers and system.calls < ENOUGH and time.monotonic() < end:
            self._burst(system, "JSON", 64, 5)
        self.result.other_megabytes = system.other_memory()
        self.result.restarts = [system.restart_seconds() for _ in range(self.plan.restarts)]


@contextmanager
def upstream(folder: Path, events: int = EVENTS, pause_ms: int = 0) -> Iterator[Upstream]:
    """A running upstream; its streams have so many events with so long a pause between them."""
    with Upstream(folder_of(folder, "upstream"), events, pause_ms) as running:
        yield running


def folder_of(folder: Path, name: str) -> Path:
    """A system's own folder for its configuration and log."""
    path = folder / name
    path.mkdir(exist_ok=True)
    return path


def say(text: str) -> None:
    """Show progress on stderr."""
    print(text, file=sys.stderr, flush=True)
