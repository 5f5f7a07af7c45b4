"""The bar of a chart that stands out, and what made it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from webapp.pages.outstanding import peak

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def bars(*days: tuple[int, int], partial: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Rows of app.spend_report: of each day the dollars of two series, and their sum."""
    rows = []
    for n, (chat, search) in enumerate(days):
        bar = {
            "bar": BEGAN + timedelta(days=n),
            "bar_end": BEGAN + timedelta(days=n + 1),
            "partial": (partial or {}).get(n),
        }
        rows += [bar | {"series": s, "cost": Decimal(c)} for s, c in ((1, chat), (2, search), (None, chat + search))]
    return rows


def test_a_bar_twice_as_high_as_the_usual_one_is_named_with_what_rose_most() -> None:
    found = peak(bars((10, 2), (11, 2), (10, 2), (12, 30), (10, 3), (9, 2)), "cost")
    assert found and found.start == BEGAN + timedelta(days=3)
    assert (found.amount, found.usual) == (42, 12)
    assert (found.series, found.of_series, found.usual_of_series) == (2, 30, 2)


def test_an_even_period_a_short_one_and_one_without_spend_have_no_such_bar() -> None:
    assert peak(bars(*[(10, 2)] * 9, (15, 4)), "cost") is None
    assert peak(bars((1, 0), (50, 0), (1, 0)), "cost") is None
    assert peak(bars(*[(0, 0)] * 9, (5, 0)), "cost") is None


def test_a_day_that_is_not_over_does_not_make_the_others_high() -> None:
    days = [(10, 0)] * 4
    assert peak(bars((1, 0), *days, (1, 0), partial={0: "cut", 5: "now"}), "cost") is None
