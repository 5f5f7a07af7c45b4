"""app.totals_follow_corrections: a correction is in the totals of the day it is booked on and of its call's day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from checks import executors
from ledgers import DAY, add_call, adjust
from people import People
from pricing import add_price
from spending import days_ago, spent
from totals import VIEWS, all_is_well, differences

NEXT_DAY = DAY + timedelta(days=1)
LABELLED = {"end_user": "u1", "tags": {"team": "web"}}
MONEY = "day, calls, cost, adjustments, cost_corrected"


def days(people: People, view: str = "spend_daily", who: str = "ada") -> list[tuple[Any, ...]]:
    with people.as_(who):
        return [tuple(row.values()) for row in people.all(f"select {MONEY} from public.{view} order by day")]


@pytest.mark.parametrize("view", VIEWS)
def test_the_day_of_the_call_keeps_what_it_reported_and_the_day_of_the_booking_has_the_difference(
    people: People, view: str
) -> None:
    delta = Decimal("-0.500000000001")
    adjust(people, add_call(people, "ada", cost=2, **LABELLED), delta, NEXT_DAY)
    assert days(people, view) == [(DAY.date(), 1, 2, 0, 2 + delta), (NEXT_DAY.date(), 0, delta, delta, 0)]
    assert days(people, view, "eve") == []
    all_is_well(people)


def test_booked_on_the_same_day_it_is_in_one_row_and_several_add_up(people: People) -> None:
    call = add_call(people, "ada", cost=2)
    for delta in (1, Decimal("0.25")):
        adjust(people, call, delta, DAY)
    assert days(people) == [(DAY.date(), 1, Decimal("3.25"), Decimal("1.25"), Decimal("3.25"))]
    all_is_well(people)


def test_corrections_of_many_calls_in_one_statement_go_to_the_sums_of_each(people: People) -> None:
    calls = {add_call(people, "ada", model=model, cost=1): model for model in ("gpt-5", "gpt-4o")}
    calls[add_call(people, "eve", cost=1)] = None
    people.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, at)"
        " select org_id, id, started_at, case model when 'gpt-5' then 5 else 4 end, 'a test', %s"
        " from public.usage_logs, generate_series(1, 3)",
        [NEXT_DAY],
    )
    with people.as_("ada"):
        rows = people.all("select model, adjustments from public.spend_by_model where day = %s", NEXT_DAY.date())
    assert {row["model"]: row["adjustments"] for row in rows} == {"gpt-5": 15, "gpt-4o": 12}
    assert days(people, who="eve")[1][2] == 12
    all_is_well(people)


def test_it_counts_in_the_books_of_its_call(people: People) -> None:
    adjust(people, add_call(people, "ada", cost=1, upstream="openai"), 5, NEXT_DAY)
    assert days(people) == []
    people.conn.execute("update public.organizations set books = 'openai'")
    assert [row[2] for row in days(people)] == [1, 5]
    all_is_well(people)


def test_a_call_priced_again_is_corrected_in_its_sums(people: People) -> None:
    spent(people, at=days_ago(3), **LABELLED)
    add_price(people.conn, "gpt-4o-mini", "input_text", "1.15", valid_from=days_ago(50))
    people.conn.execute("select app.reprice(%s, %s, 'a test', false)", [days_ago(60), days_ago(-1)])
    for view in VIEWS:
        assert [row[3] for row in days(people, view)] == [0, Decimal("0.001")], view
    all_is_well(people)


def test_a_correction_of_a_call_whose_month_was_dropped_changes_no_sum(people: People) -> None:
    people.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)"
        " values (%s, %s, '2020-01-01Z', 1, 'a test')",
        [people.orgs["ada"], uuid4()],
    )
    assert people.all("select * from public.daily_totals") == []


def test_without_the_trigger_it_would_be_noticed(people: People) -> None:
    people.conn.execute("alter table public.cost_adjustments disable trigger totals_follow")
    adjust(people, add_call(people, "ada", **LABELLED), 1, NEXT_DAY)
    found = {(row["day"], row["part"]) for row in differences(people)}
    parts = {f"{kind}{grain}" for kind in ("all", "end_user", "tag", "tagged") for grain in ("", " by hour")}
    assert found == {(day.date(), part) for part in parts for day in (DAY, NEXT_DAY)}


def test_nobody_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_follow_corrections") == set()
