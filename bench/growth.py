"""How the figures change with more workers, more streams, more rows: a table, and the charts in docs/growth.svg."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from bench import chart, machine, tools
from bench.load import burst
from bench.spendai import SpendAI
from bench.streams import EVENTS, PAUSE_MS, wave
from bench.systems import Direct
from bench.tables import number, table
from bench.versus import folder_of, say, upstream
from webapp.config import ROOT

WORKERS = (1, 2, 4)
STREAMS = (100, 1000, 3000)
ROUNDS, SECONDS = 3, 3
PAGES = tools.CACHE / "pages.json"  # written by rows.py: [{"rows": n, "spend_page_ms": x, "sql_ms": y}, …]
FIGURE = ROOT / "docs/growth.svg"


def workers(folder: Path) -> dict[int, tuple[float, float]]:
    """Number of workers → calls per second at 64 connections and CPU seconds per 1,000 calls; medians of ROUNDS."""
    found: dict[int, tuple[float, float]] = {}
    with upstream(folder) as running:
        for count in WORKERS:
            say(f"{count} workers")
            with SpendAI(running.port, folder_of(folder, "SpendAI"), count) as system:
                burst(system, "JSON", 64, 2, running)
                bursts = [burst(system, "JSON", 64, SECONDS, running) for _ in range(ROUNDS)]
            found[count] = (statistics.median(b.rate for b in bursts), statistics.median(b.cpu for b in bursts))
    return found


def streams(folder: Path) -> dict[int, tuple[float, float, float]]:
    """Streams at once → memory of the gateway in MB, and ms added to the first token: p50, p99."""
    found: dict[int, tuple[float, float, float]] = {}
    with (
        upstream(folder, EVENTS, PAUSE_MS) as running,
        Direct(running.port, folder_of(folder, "direct")) as direct,
        SpendAI(running.port, folder_of(folder, "SpendAI")) as system,
    ):
        for count in STREAMS:
            say(f"{count:,} streams at once")
            base, ours = wave(direct, count, 0), wave(system, count, 0)
            late = [ours.ms("first_ms", share) - base.ms("first_ms", share) for share in ("p50", "p99")]
            found[count] = (ours.memory, *late)
    return found


def pages() -> dict[int, tuple[float, float]]:
    """Rows in the ledger → ms of the Spend page and of its SQL, as an earlier `--rows --write` left them in PAGES."""
    if not PAGES.exists():
        say(f"{PAGES.relative_to(ROOT)} is not there: no figures of pages (ARGS='--rows --write' makes them)")
        return {}
    return {int(row["rows"]): (row["spend_page_ms"], row["sql_ms"]) for row in json.loads(PAGES.read_text())}


def short(count: int) -> str:
    """10000000 → 10M."""
    for size, word in ((10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:g}{word}"
    return str(count)


def figure(by_workers: dict, by_streams: dict, by_rows: dict) -> str:
    """The four charts."""

    def series(found: dict[int, tuple[float, ...]], *names: str, skip: int = 0) -> dict[str, list[float]]:
        return {name: [values[n + skip] for values in found.values()] for n, name in enumerate(names)}

    def labels(found: dict) -> list[str]:
        return [short(count) for count in found]

    Chart, at_once = chart.Chart, labels(by_streams)
    return chart.figure(
        [
            Chart("Calls a second", "workers", labels(by_workers), series(by_workers, "calls/s")),
            Chart("Memory of the gateway, MB", "streams at once", at_once, series(by_streams, "MB")),
            Chart("Added to the first token, ms", "streams at once", at_once, series(by_streams, "p50", "p99", skip=1)),
            Chart("Spend page, ms", "rows in the ledger", labels(by_rows), series(by_rows, "page", "SQL")),
        ]
    )


def run(folder: Path, *, write: bool) -> tuple[str, bool]:
    """The table as Markdown, and True. Writes the charts to docs/growth.svg, or without ``write`` to var/bench."""
    by_workers, by_streams, by_rows = workers(folder), streams(folder), pages()
    (FIGURE if write else tools.CACHE / FIGURE.name).write_text(figure(by_workers, by_streams, by_rows))
    rows = [[f"{n} worker{'s' * (n > 1)}", f"{number(rate)} calls/s", f"{number(cpu)} CPU s per 1,000 calls"]
            for n, (rate, cpu) in by_workers.items()]  # fmt: skip
    rows += [[f"{n:,} streams", f"{number(mb)} MB", f"first token + {number(p50)} / {number(p99)} ms (p50 / p99)"]
             for n, (mb, p50, p99) in by_streams.items()]  # fmt: skip
    rows += [[f"{n:,} rows", f"Spend page {number(page)} ms", f"its SQL {number(sql)} ms"]
             for n, (page, sql) in by_rows.items()]  # fmt: skip
    return f"{machine.facts()}.\n\n{table(['with', 'figure', 'and'], rows)}", True
