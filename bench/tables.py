"""Makes the tables that are printed and written to docs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from bench.versus import CONNECTIONS, ENOUGH, KINDS, Result

NAMES = ("direct", "nginx", "LiteLLM", "Portkey", "SpendAI")


def number(value: float | None) -> str:
    """A figure with few digits: 48,300 · 209 · 9.80 · 0.019; a dash for None."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def spread(values: Sequence[float]) -> str:
    """The median; of several rounds also the least and the greatest: "12.1 (11.8–12.9)"."""
    if not values:
        return "–"
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}–{number(max(values))})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table, padded to be readable in a terminal too; all columns but the first are aligned right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    text = []
    for first, *others in lines:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        text.append(f"| {' | '.join(cells)} |")
    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([text[0], f"|{rule}|", *text[1:]])


def comparison(result: Result) -> str:
    """The table of all systems."""
    head = ["", *(f"c={c} calls/s" for c in CONNECTIONS), *(f"c={c} p50 / p99 ms" for c in CONNECTIONS)]
    head += ["added p50 ms, c=1", "CPU s per 1,000", "memory MB"]
    rows = []
    for kind in KINDS:
        for name in NAMES:
            cells = [(name, kind, c) for c in CONNECTIONS]
            if cells[0] not in result.bursts:
                continue
            row = [f"{name}, {kind}"]
            row += [spread(result.each(cell, "rate")) if result.valid(cell) else "invalid" for cell in cells]
            row += [f"{number(result.median(c, 'p50'))} / {number(result.median(c, 'p99'))}" for c in cells]
            if name == "direct":
                row += ["–"] * 3
            else:
                row += [spread(result.added(name, kind, 1)), spread(result.each(cells[-1], "cpu"))]
                row.append(number(result.megabytes.get(name)))
            rows.append(row)
    return table(head, rows)


def ratios(result: Result) -> str:
    """The table of SpendAI's figures divided by those of each other proxy, from ratios of the same round."""
    rows = []
    for name in NAMES[1:-1]:
        if ("direct", "JSON", 1) in result.bursts and (name, "JSON", 1) in result.bursts:
            row = [f"SpendAI : {name}"]
            row += [spread(result.ratios("rate", kind, c, name)) for kind in KINDS for c in CONNECTIONS]
            rows.append([*row, spread(result.ratios("cpu", "JSON", 64, name))])
    return table(["", *(f"{kind} c={c}" for kind in KINDS for c in CONNECTIONS), "CPU per call, c=64"], rows)


def targets(result: Result) -> str:
    """The table of targets, and whether this run reached them."""
    calls, last = result.memory[-1]
    half = next(mb for made, mb in result.memory if made >= calls / 2)
    cpu = result.median(("SpendAI", "JSON", 64), "cpu")
    added = {name: middle(result.added(name, "JSON", 1)) for name in ("SpendAI", "Portkey")}
    against = [(kind, *bound) for bound in (("LiteLLM", 20), ("Portkey", 4)) for kind in KINDS]
    times = [middle(result.ratios("rate", kind, 64, name)) for kind, name, _ in against]
    aims = [
        (f"throughput against {name}, c=64 {kind}", f"≥ {bound} ×", ratio, bound, 1)
        for (kind, name, bound), ratio in zip(against, times, strict=True)
    ]
    aims += [
        ("share of nginx's throughput, c=64 JSON", "≥ 0.1", middle(result.ratios("rate", "JSON", 64, "nginx")), 0.1, 1),
        ("added p50 at c=1, JSON, divided by Portkey's", "≤ 1", _share(added["SpendAI"], added["Portkey"]), 1, -1),
        ("CPU of gateway and Postgres per 1,000 calls", "≤ 0.25 s", cpu, 0.25, -1),
        (f"gateway's memory after {calls:,} calls", "≤ 160 MB", last if calls >= ENOUGH else None, 160, -1),
        ("the same, divided by that after half of them", "≤ 1.05", last / half if calls >= ENOUGH else None, 1.05, -1),
        ("`make run` on existing data to the first answer", "≤ 2 s", middle(result.restarts), 2, -1),
    ]
    rows = [[what, aim, number(value), verdict(value, bound, sign)] for what, aim, value, bound, sign in aims]
    return table(["figure", "target", "measured", ""], rows)


def _share(one: float | None, of: float | None) -> float | None:
    return one / of if one is not None and of else None


def verdict(value: float | None, bound: float, sign: int) -> str:
    """reached, missed or not measured. sign 1: the value must be at least the bound; -1: at most."""
    if value is None:
        return "not measured"
    return "reached" if value * sign >= bound * sign else "missed"


def middle(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def ledger(result: Result) -> str:
    """Sentences: whether the ledger lost any call, and the memory of Postgres and the launcher."""
    priced, rows, calls = result.ledger
    same = "nothing is lost" if priced == rows == calls else "THEY DIFFER"
    postgres, launcher = result.other_megabytes
    return (
        f"{calls:,} calls of SpendAI reached the upstream, its ledger has {rows:,} rows, {priced:,} of them settled "
        f"and priced: {same}. Its memory is that of gunicorn's master and workers; Postgres takes {postgres:.0f} MB, "
        f"the launcher, which only watches, {launcher:.0f} MB."
    )
