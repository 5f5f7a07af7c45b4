"""app.spend_months."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import add_open_call
from people import People
from spending import CELLS, PRICE, days_ago, spent

MONTHS = "select * from app.spend_months(%s, %s, %s::jsonb, 'UTC')"


def months(
    people: People, count: int = 3, filters: str = "{}", who: str = "ada", known: int = 0
) -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(MONTHS, count, known, filters)


def test_every_month_is_there_and_this_one_is_not_over(people: People) -> None:
    spent(people)
    last = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=15, hour=12)
    spent(people, at=last)
    spent(people, at=last, model="gpt-4o")
    found = months(people)
    assert [row["calls"] for row in found] == [0, 2, 1]
    assert [row["partial"] for row in found] == [False, False, True]
    assert [row["month"].day for row in found] == [1, 1, 1]
    assert found[2]["month"] == days_ago(0).date().replace(day=1) and found[2]["cost"] == Decimal(PRICE)
    assert [row["calls"] for row in months(people, filters='{"model": ["gpt-4o"]}')] == [0, 1, 0]


def test_the_newest_months_can_be_left_out(people: People) -> None:
    spent(people)
    spent(people, at=(datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=15, hour=12))
    found = months(people)
    assert months(people, known=1) == found[:2] and found[1]["calls"] == 1
    assert months(people, known=3) == []


def test_calls_without_a_known_cost_are_counted_in_their_month_as_totals_count_them(people: People) -> None:
    month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=15, hour=12)
    for at in (month, month, datetime.now(UTC)):
        spent(people, at=at, model="nobody-knows-it")
    spent(people, at=month, outcome="no_usage", usage=None)
    spent(people, at=month)
    add_open_call(people, "ada", month, deadline_at=month + timedelta(hours=1))  # in doubt
    add_open_call(people, "ada", datetime.now(UTC))  # still running
    found = months(people, 2)
    names = ("calls", "unpriced_calls", "no_usage_calls", "in_doubt_calls")
    assert [[row[name] for name in names] for row in found] == [[5, 2, 1, 1], [2, 1, 0, 0]]
    assert [row["cost"] for row in found] == [Decimal(PRICE), 0]
    whole = [datetime.combine(row["month"], time(), UTC) for row in found]
    with people.as_("ada"):
        totals = people.one(f"select * from app.spend_totals({CELLS}, true)", *whole, "model", "{}")
    assert {name: totals[name] for name in names} == {name: found[0][name] for name in names}


def test_months_before_the_first_one_asked_for_are_left_out(people: People) -> None:
    spent(people, at=days_ago(100))
    assert sum(row["calls"] for row in months(people)) == 0


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert sum(row["calls"] for row in months(people, who="eve")) == 0
    with people.as_("nobody"):
        people.refused("42501", MONTHS, 3, 0, "{}")
    assert executors(people.conn, "spend_months") == {"authenticated"}
