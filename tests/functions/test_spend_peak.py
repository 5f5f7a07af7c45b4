"""app.spend_peak: the bar that stands out, and the row that made it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from people import People


def days(*costs: Any) -> list[dict[str, Any]]:
    """Whole bars, as app.spend_bars answers them."""
    return [
        {"bar": f"2026-10-{n + 1:02}T00:00Z", "cost": str(cost), "series": None, "partial": None}
        for n, cost in enumerate(costs)
    ]


def stands_out(people: People, bars: list[dict[str, Any]], cells: list[tuple[Any, ...]]) -> dict[str, Any] | None:
    rows = [{"is_now": True, "whole": True, "bar": bar, "id": name, "cost": str(cost)} for bar, name, cost in cells]
    query = """
        select * from app.spend_peak(
            array(select c from jsonb_populate_recordset(null::app.spend_cell, %s::jsonb) c), %s::jsonb)"""
    with people.as_("ada"):
        return people.one(query, json.dumps(rows), json.dumps(bars))


def test_the_row_is_the_one_that_rose_most_above_its_usual_cost(people: People) -> None:
    bars = days(11, 11, "30.5", 11)
    cells = [(bar["bar"], "big", cost) for bar, cost in zip(bars, (10, 10, 12, 10), strict=True)]
    cells += [(bar["bar"], "new", cost) for bar, cost in zip(bars, (1, 1, 18.5, 1), strict=True)]
    found = stands_out(people, bars, cells)
    assert found is not None and (found["bar"].day, found["id"]) == (3, "new")
    assert (found["cost"], found["usual"]) == (Decimal("30.5"), 11)
    assert (found["row_cost"], found["row_usual"]) == (Decimal("18.5"), 1)


@pytest.mark.parametrize("costs", [
    (11, 11, 19, 11),  # not 1.75 times as much
    (11, 11, 30),  # too few to say what is usual
    (0, 0, 0, 0),
    (1, *[11] * 12, 0, 12, 1),
])  # fmt: skip
def test_of_days_that_are_alike_none_stands_out(people: People, costs: tuple[int, ...]) -> None:
    bars = days(*costs)
    assert stands_out(people, bars, [(bar["bar"], "big", Decimal(bar["cost"])) for bar in bars]) is None


def test_a_bar_that_is_not_whole_and_a_series_are_not_compared(people: People) -> None:
    bars = days(1, 1, 1, 9, 9)
    bars[3]["partial"], bars[4]["series"] = "now", 1
    assert stands_out(people, bars, []) is None


def test_one_dear_day_among_free_ones_stands_out(people: People) -> None:
    bars = days(0, 0, 0, 5)
    found = stands_out(people, bars, [(bars[3]["bar"], "only", 5)])
    assert found is not None and (found["id"], found["usual"], found["row_usual"]) == ("only", 0, 0)


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "spend_peak") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", "select app.spend_peak('{}', '[]')")
