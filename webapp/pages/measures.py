"""What a spend page measures: money, tokens or calls; and how the rows of a breakdown changed by that measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import request

from webapp import written
from webapp.pages.wrong import no_such


@dataclass(frozen=True)
class Measure:
    """name: its word in addresses; column: of the rows of app.spend_report; unit: of the charts' axis."""

    name: str
    title: str
    column: str
    words: Callable[[Any], str]
    exact: Callable[[Any], str]
    unit: str = ""


MEASURES = {
    "money": Measure("money", "Spend", "cost", written.money, written.exact, "$"),
    "tokens": Measure("tokens", "Tokens", "tokens", written.tokens, written.number),
    "calls": Measure("calls", "Calls", "calls", written.number, written.number),
}
# Counts of calls that are in no sum of costs → their words.
UNKNOWN = {"unpriced_calls": "without a price", "no_usage_calls": "without usage", "in_doubt_calls": "in doubt"}
MARK = " + ?"  # behind a sum that lacks some


def chosen_measure() -> Measure:
    """What the page measures. Raises ApiError 400."""
    name = request.args.get("measure") or "money"
    if name not in MEASURES:
        raise no_such("measure", name)
    return MEASURES[name]


def ratio(now: Decimal | int, before: Decimal | int | None) -> Decimal | None:
    """0.12 for 12 % more; None where there was nothing before."""
    return Decimal(now) / Decimal(before) - 1 if before else None


def unknown_calls(row: dict[str, Any]) -> int:
    """How many calls the cost of this row lacks."""
    return sum(row.get(name) or 0 for name in UNKNOWN)


def unknown_facts(sums: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the sheet About of a file says of the calls that are in no sum of costs."""
    for column, words in UNKNOWN.items():
        yield f"Unknown: calls {words}, not in these sums", sums[column]


def measured(row: dict[str, Any], measure: Measure, total: Decimal | int) -> dict[str, Any]:
    """The row with now, before, difference, ratio and share by this measure; total: that of all calls.

    unknown_calls: how many calls its cost lacks.
    """
    now, before = row[measure.column], row.get(f"{measure.column}_before")
    return row | {
        "now": now,
        "before": before,
        "difference": None if before is None else now - before,
        "ratio": ratio(now, before),
        "share": Decimal(now) / Decimal(total) if total else None,
        "unknown_calls": unknown_calls(row),
    }
