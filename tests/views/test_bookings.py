"""bookings: every sum adds up these rows; a correction counts when it is booked, and at the moment of its call."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import strangers_read_nothing
from ledgers import DAY, add_call, adjust
from people import People

VIEW = "select * from public.bookings"
NEXT_DAY = DAY + timedelta(days=1)
SUMS = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")


@pytest.fixture
def corrected(people: People) -> People:
    """A call of $2 that was $0.50 too high and corrected the day after; and a call without a correction."""
    call = add_call(people, "ada", DAY, cost=2, end_user="u1", tags={"team": "a"})
    add_call(people, "ada", DAY, cost=1, end_user="u1", tags={"team": "a"})
    adjust(people, call, Decimal("-0.500000000001"), NEXT_DAY)
    return people


def per_day(rows: list[dict[str, Any]], column: str) -> dict[str, Any]:
    days: dict[str, Any] = defaultdict(Decimal)
    for row in rows:
        days[row["day"]] += row[column]
    return {day: total for day, total in days.items() if total}


@pytest.mark.parametrize("view", SUMS)
def test_a_day_that_is_over_keeps_its_sum_and_the_corrected_one_stands_beside_it(corrected: People, view: str) -> None:
    with corrected.as_("dev"):
        rows = corrected.all(f"select * from public.{view}")
    delta = Decimal("-0.500000000001")
    assert per_day(rows, "cost") == {DAY.date(): 3, NEXT_DAY.date(): delta}
    assert per_day(rows, "adjustments") == {NEXT_DAY.date(): delta}
    assert per_day(rows, "cost_corrected") == {DAY.date(): 3 + delta}
    assert per_day(rows, "calls") == {DAY.date(): 2}
    assert sum(row["cost"] for row in rows) == sum(row["cost_corrected"] for row in rows) == 3 + delta


def test_a_correction_counts_when_it_was_booked_and_at_its_call(corrected: People) -> None:
    with corrected.as_("ada"):
        rows = corrected.all(VIEW + " where entry <> 'call' order by entry")
    delta = Decimal("-0.500000000001")
    assert [(r["entry"], r["at"], r["cost"], r["adjustments"], r["cost_corrected"]) for r in rows] == [
        ("adjustment", NEXT_DAY, delta, delta, None),
        ("correction", DAY, None, None, delta),
    ]
    assert {(r["calls"], r["tokens_in"], r["end_user"], r["call_started_at"]) for r in rows} == {(0, None, "u1", DAY)}


def test_corrections_of_an_unpriced_call_or_an_error_are_counted_as_no_further_call(people: People) -> None:
    call = add_call(people, "ada", cost=0, cost_status="error", status_code=500)
    adjust(people, call, 1, NEXT_DAY)
    with people.as_("ada"):
        row = people.one(
            "select sum(calls) as calls, sum(error_calls) as errors, sum(cost) as cost from public.bookings"
        )
    assert (row["calls"], row["errors"], row["cost"]) == (1, 1, 1)


def test_eve_and_strangers_see_nothing_of_acmes(corrected: People) -> None:
    with corrected.as_("eve"):
        assert corrected.all(VIEW) == []
    strangers_read_nothing(corrected, VIEW)


def test_play_money_and_its_corrections_are_gone_once_the_books_are_real(corrected: People) -> None:
    corrected.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with corrected.as_("ada"):
        assert corrected.all(VIEW) == []
