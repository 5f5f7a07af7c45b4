"""Numbers that workers share: added up over all, kept when one ends, and gauges without those that have ended."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from webapp.metrics import shared
from webapp.metrics.shared import Count, Level, Spread


@pytest.fixture(autouse=True)
def own_row() -> Iterator[None]:
    """After the test, this process writes the row that it wrote before."""
    cells = shared.Row.cells
    yield
    shared.Row.cells = cells


def test_counts_of_all_rows_are_added_up_and_outlive_a_worker() -> None:
    count, level = Count(), Level()
    first, second = shared.take(), shared.take()
    assert first != second
    for row in (first, second):
        shared.use(row)
        count.add()
        count.add(2)
        level.set(5)
    assert (count.value(), level.value()) == (6, 10)
    shared.free(first)
    assert (count.value(), level.value()) == (6, 5)
    assert shared.take() == first, "the next worker goes on counting there"
    shared.use(first)
    count.add()
    assert count.value() == 7
    shared.free(first), shared.free(second)


def test_another_process_sees_what_was_counted() -> None:
    count, row = Count(), shared.take()
    child = os.fork()
    if not child:
        shared.use(row)
        count.add(3)
        os._exit(0)
    os.waitpid(child, 0)
    assert count.value() == 3
    shared.free(row)


def test_when_every_row_is_taken_the_last_one_is_shared() -> None:
    rows = [shared.take() for _ in range(shared.ROWS + 1)]
    assert rows[-1] == rows[-2] == shared.ROWS - 1
    for row in rows:
        shared.free(row)


def test_a_spread_counts_values_up_to_each_bound() -> None:
    spread = Spread([0.5, 1, 2])
    for value in (0.25, 0.5, 0.75, 1, 8):
        spread.observe(value)
    assert spread.value() == ([("0.5", 2), ("1.0", 4), ("2.0", 4), ("+Inf", 5)], 10.5)
