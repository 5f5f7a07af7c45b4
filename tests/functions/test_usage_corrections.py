"""app.usage and the spend functions with corrections: reported and corrected cost, for any cut of a period."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from checks import examples
from hypothesis import given
from hypothesis import strategies as st
from ledgers import DAY, add_call, adjust
from people import People
from spending import CELLS, days_ago, spent

USAGE = "select * from app.usage(%s, %s, %s, %s::jsonb)"
MONEY = ("cost", "adjustments", "cost_corrected")
HOURS = st.integers(-60, 60)
AMOUNT = st.decimals(Decimal("-5"), Decimal("5"), places=12)


def usage(people: People, since: datetime, until: datetime, *groups: str, **filters: list[str]) -> list[dict[str, Any]]:
    with people.as_("ada"):
        return people.all(USAGE, since, until, list(groups), json.dumps(filters))


def totals(people: People, since: datetime, until: datetime, *groups: str) -> list[Decimal]:
    rows = usage(people, since, until, *groups)
    return [sum((row[name] for row in rows), Decimal(0)) for name in (*MONEY, "calls", "tokens_in")]


@given(
    calls=st.lists(st.tuples(HOURS, AMOUNT.map(abs), st.lists(st.tuples(HOURS, AMOUNT), max_size=2)), max_size=5),
    cut=HOURS,
)
@examples(40)
def test_a_period_cut_in_two_has_the_sums_of_the_whole(people: People, calls: list[Any], cut: int) -> None:
    begin, middle, end = (DAY + timedelta(hours=hours) for hours in (-61, cut, 61))
    with people.conn.transaction(force_rollback=True):
        for hours, cost, corrections in calls:
            call = add_call(people, "ada", DAY + timedelta(hours=hours), cost=cost)
            for booked, delta in corrections:
                adjust(people, call, delta, DAY + timedelta(hours=booked))
        whole = totals(people, begin, end)
        assert [a + b for a, b in zip(totals(people, begin, middle), totals(people, middle, end), strict=True)] == whole
        assert totals(people, begin, end, "day") == totals(people, begin, end, "model", "key") == whole
        deltas = sum((delta for _, _, corrections in calls for _, delta in corrections), Decimal(0))
        costs = sum((cost for _, cost, _ in calls), Decimal(0))
        assert whole[:3] == [costs + deltas, deltas, costs + deltas]


def test_corrections_follow_the_filters_of_their_call(people: People) -> None:
    call = add_call(people, "ada", cost=1, model="gpt-5", end_user="u1", tags={"team": "a"}, service_tier="flex")
    adjust(people, call, 2, DAY + timedelta(days=1))
    period = (DAY + timedelta(hours=1), DAY + timedelta(days=2))
    for words in ({"model": ["gpt-5"]}, {"end_user": ["u1"]}, {"tag": ["team=a"]}, {"cost_status": ["priced"]}):
        (row,) = usage(people, *period, "model", **words)
        assert (row["model"], row["calls"], *(row[name] for name in MONEY)) == ("gpt-5", 0, 2, 2, 0)
    assert usage(people, *period, "day", model=["gpt-4o"]) == []


def test_totals_breakdown_and_bars_count_a_correction_on_the_day_it_was_booked(people: People) -> None:
    call = spent(people, at=days_ago(9))
    adjust(people, call, Decimal("3.000000000001"), days_ago(1))
    period = (days_ago(7), days_ago(-1 / 24))
    with people.as_("ada"):
        cells = (*period, "model", "{}")
        total = people.one(f"select * from app.spend_totals({CELLS}, true)", *cells)
        (row,) = people.all(f"select * from app.spend_breakdown({CELLS}, 'model', false, 6, true)", *cells)
        query = f"select * from app.spend_bars({CELLS}, %s, %s, 'UTC', 'day', array['gpt-4o-mini'])"
        bars = people.all(query, *cells, *period)
    booked = Decimal("3.000000000001")
    assert (total["calls"], total["cost"], total["adjustments"], total["cost_corrected"]) == (0, booked, booked, 0)
    assert total["cost_per_1000"] is None and total["error_share"] is None
    assert (row["id"], row["calls"], row["cost"], row["adjustments"], row["cost_corrected"]) == (
        "gpt-4o-mini", 0, booked, booked, 0,
    )  # fmt: skip
    assert {bar["bar"].date(): bar["cost"] for bar in bars if bar["series"] == 1 and bar["cost"]} == {
        days_ago(1).date(): booked
    }
