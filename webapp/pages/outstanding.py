"""A bar that stands out of its chart, and what made it so high."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from typing import Any

LEAST_BARS = 5  # with fewer, nothing is usual
TIMES = 2  # as high as the usual bar, at least


@dataclass(frozen=True)
class Peak:
    """The highest bar, the usual one, and the series that rose most over what is usual for it: None for all others."""

    start: datetime
    end: datetime
    amount: Any
    usual: Any
    series: int
    of_series: Any
    usual_of_series: Any


def peak(rows: Sequence[Mapping[str, Any]], column: str) -> Peak | None:
    """The bar that stands out by this column of app.spend_report's bars, if one does.

    A bar that the period cuts off may be the highest, but it does not count for what is usual.
    """
    whole = [row for row in rows if row["series"] is None and not row["partial"]]
    if len(whole) < LEAST_BARS:
        return None
    usual = median_low(row[column] for row in whole)
    highest = max((row for row in rows if row["series"] is None), key=lambda row: row[column])
    if not usual or highest[column] < TIMES * usual:
        return None
    parts = [row for row in rows if row["series"] is not None and row["bar"] == highest["bar"]]
    if not parts:
        return None
    usuals = {
        part["series"]: median_low(
            row[column] for row in rows if row["series"] == part["series"] and not row["partial"]
        )
        for part in parts
    }
    made = max(parts, key=lambda part: part[column] - usuals[part["series"]])
    return Peak(
        highest["bar"], highest["bar_end"], highest[column], usual, made["series"], made[column],
        usuals[made["series"]],
    )  # fmt: skip
