"""app.calls_ranked: calls sorted by a number, a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks import executors
from ledgers import DAY, sums
from people import People

PAGE = "select * from app.calls_ranked(%s, %s, %s::jsonb, %s, %s, %s, %s)"
ALL = (DAY - timedelta(days=3), DAY + timedelta(days=3))


def value(row: dict[str, Any], column: str) -> Any:
    if column == "started_at":
        return (row["started_at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return row[column]


def pages(people: People, by: str, size: int, who: str = "ada", filters: str = "{}") -> list[dict[str, Any]]:
    """Every row of all pages, with the cursor that the calls page uses."""
    result, after = [], (None, None)
    while True:
        with people.as_(who):
            rows = people.all(PAGE, *ALL, filters, by, *after, size)
        result += rows
        if len(rows) < size:
            return result
        after = value(rows[-1], by.lstrip("-")), rows[-1]["id"]


@pytest.mark.parametrize("column", ["cost", "tokens_in", "tokens_cached", "tokens_out", "started_at"])
@pytest.mark.parametrize("minus", ["", "-"])
def test_turning_pages_shows_every_call_once_in_order(ledger: People, column: str, minus: str) -> None:
    found = pages(ledger, minus + column, 4)
    assert len({row["id"] for row in found}) == len(found) == sums(ledger)["calls"] == 15
    known = [value(row, column) for row in found if row[column] is not None]
    assert known == sorted(known, reverse=not minus)
    assert [value(row, column) is None for row in found] == [False] * len(known) + [True] * (15 - len(known))


def test_filters_are_those_of_every_other_page(ledger: People) -> None:
    assert len(pages(ledger, "cost", 100, filters='{"cost_status": ["priced"]}')) == 5


def test_eve_and_nobody_see_nothing_of_acme(ledger: People) -> None:
    assert len(pages(ledger, "cost", 10, "eve")) == 2
    with ledger.as_("nobody"):
        ledger.refused("42501", PAGE, *ALL, "{}", "cost", None, None, 10)
    assert executors(ledger.conn, "calls_ranked") == {"authenticated"}
