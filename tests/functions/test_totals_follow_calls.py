"""app.totals_follow_calls: daily totals change in the transaction that settles or fills calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import executors
from ledgers import add_call, add_open_call
from people import People
from pricing import add_price
from spending import PRICE, days_ago, spent
from totals import MIDNIGHT, all_is_well, differences

DAILY = "select coalesce(sum({0}), 0) as n from public.spend_daily"
USAGE = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
OBJECT = {"account": "install", "upstream_object_id": "resp_1"}
LOOK = {"method": "GET", "endpoint": "/v1/responses/{response_id}"}


def shown(people: People, *names: str, who: str = "ada") -> tuple[Any, ...]:
    """The sum of all days, as this person sees it."""
    with people.as_(who):
        return tuple(people.one(DAILY.format(name))["n"] for name in names)


def kept(people: People, name: str = "ada") -> list[tuple[Any, ...]]:
    """(cost status, calls, cost) of the daily totals of an organization."""
    rows = people.all(
        "select cost_status, sum(calls) as calls, sum(cost) as cost from public.daily_totals where org_id = %s"
        " group by 1 having sum(calls) <> 0 or sum(cost) <> 0 order by 1",
        people.orgs[name],
    )
    return [tuple(row.values()) for row in rows]


def opened(people: People, name: str = "ada", **changes: Any) -> dict[str, Any]:
    message = people.open_message(name, **(people.now_id() | changes))
    assert people.open_calls(message)[0]["outcome"] == "opened"
    return message


def settle(people: People, message: dict[str, Any], name: str = "ada", **changes: Any) -> str:
    return people.settle_calls(people.settle_message(name, message, **changes))[0]["outcome"]


def test_an_open_call_is_shown_but_kept_in_no_sum_until_it_is_settled(people: People) -> None:
    message = opened(people)
    assert (shown(people, "calls", "cost"), kept(people)) == ((1, 0), [])
    assert settle(people, message) == "settled"
    assert (shown(people, "calls", "cost"), kept(people)) == ((1, Decimal(PRICE)), [("priced", 1, Decimal(PRICE))])
    all_is_well(people)


def test_a_call_settled_again_counts_once(people: People) -> None:
    message = opened(people)
    assert [settle(people, message) for _ in range(3)] == ["settled", "already", "already"]
    again = people.settle_message("ada", opened(people))
    assert sorted(row["outcome"] for row in people.settle_calls(again, again)) == ["already", "settled"]
    assert shown(people, "calls") == (2,)
    all_is_well(people)


def test_a_lost_call_that_is_settled_late_counts_on_the_day_it_began(people: People) -> None:
    spent(people, at=days_ago(40), end_user="u1", tags={"team": "web"})
    (row,) = people.all("select day, calls, cost from public.daily_totals")
    assert (row["day"], row["calls"], row["cost"]) == (days_ago(40).date(), 1, Decimal(PRICE))
    all_is_well(people)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_a_day_begins_and_ends_at_midnight_utc(people: People, zone: str) -> None:
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    for microseconds in (-1, 0, 86_400_000_000 - 1, 86_400_000_000):
        add_call(people, "ada", MIDNIGHT + timedelta(microseconds=microseconds))
    with people.as_("ada"):
        days = {row["day"]: row["calls"] for row in people.all("select day, calls from public.spend_daily")}
    assert days == {(MIDNIGHT + timedelta(days=n)).date(): calls for n, calls in ((-1, 1), (0, 2), (1, 1))}
    all_is_well(people)


def test_a_missing_cost_that_is_filled_in_moves_the_call_to_those_with_one(people: People) -> None:
    spent(people, model="gpt-99", end_user="u1", tags={"team": "web"}, at=days_ago(3))
    assert shown(people, "calls", "unpriced_calls", "cost") == (1, 1, 0)
    add_price(people.conn, "gpt-99", "input_text", "3")
    add_price(people.conn, "gpt-99", "output_text", "0")
    people.conn.execute("select app.reprice('2020-01-01Z', %s, 'a test', false)", [days_ago(-1)])
    assert shown(people, "calls", "unpriced_calls", "cost", "adjustments") == (1, 0, Decimal("0.003"), 0)
    assert kept(people) == [("priced", 1, Decimal("0.003"))]
    for view, name in (("spend_by_end_user", "end_user"), ("spend_by_tag", "tag"), ("spend_by_model", "model")):
        with people.as_("ada"):
            rows = people.all(f"select {name}, calls, unpriced_calls, cost from public.{view}")
        assert len(rows) == 1 and list(rows[0].values())[1:] == [1, 0, Decimal("0.003")], view
    all_is_well(people)


def test_another_reason_for_having_no_cost_moves_the_call_too(people: People) -> None:
    call = spent(people, model="gpt-99", at=days_ago(3))
    with people.conn.transaction():
        assert people.one(
            "select app.fill_call(id, started_at, null, 'unpriced_dimension', null, null, null, null, null, 'a test')"
            " as filled from public.usage_logs where id = %s", call)["filled"]  # fmt: skip
    assert kept(people) == [("unpriced_dimension", 1, 0)]
    all_is_well(people)


def test_a_background_object_counts_when_it_is_made_and_its_tokens_once_its_end_is_seen(people: People) -> None:
    made = opened(people, endpoint="/v1/responses", model="gpt-4o-mini", end_user="u1", tags={"team": "web"})
    settle(people, made, outcome="pending", usage=None, model=None, **OBJECT)
    assert shown(people, "calls", "no_usage_calls", "tokens_in", "cost") == (1, 1, 0, 0)
    for _ in range(2):
        looking = opened(people, **LOOK)
        settle(people, looking, usage=USAGE, **LOOK, **OBJECT)
    assert shown(people, "calls", "no_usage_calls", "tokens_in", "cost") == (3, 0, 1000, Decimal(PRICE))
    all_is_well(people)


@pytest.mark.parametrize("cost", [None, Decimal("0.25")])
def test_a_call_closed_by_hand_counts_as_closed_and_its_true_end_corrects_it(people: People, cost: Any) -> None:
    message = opened(people, end_user="u1", tags={"team": "web"})
    people.one("select app.call_end(null, %s, %s, 'by hand')", message["id"], cost)
    assert shown(people, "calls", "cost", "no_usage_calls") == (1, cost or 0, int(cost is None))
    all_is_well(people)
    assert [settle(people, message) for _ in range(2)] == ["conflict", "conflict"]
    assert shown(people, "calls", "cost", "cost_corrected") == (1, Decimal(PRICE), Decimal(PRICE))
    assert shown(people, "adjustments") == (Decimal(PRICE) - cost if cost else 0,)
    all_is_well(people)


def test_an_admin_who_closes_a_call_in_doubt_takes_it_out_of_those(people: People) -> None:
    message = opened(people, max_seconds=-1)
    assert shown(people, "in_doubt_calls") == (1,)
    with people.as_("ada"):
        people.one("select app.call_close(%s, 0.5, 'seen on the bill')", message["id"])
    assert shown(people, "in_doubt_calls", "calls", "cost") == (0, 1, Decimal("0.5"))
    all_is_well(people)


def test_a_batch_of_several_organizations_adds_to_the_sums_of_each(people: People) -> None:
    batch = [people.settle_message(name, opened(people, name)) for name in ("ada", "eve", "ada")]
    people.settle_calls(*batch)
    assert (shown(people, "calls", who="dev"), shown(people, "calls", who="eve")) == ((2,), (1,))
    assert (kept(people), kept(people, "eve")) == ([("priced", 2, 2 * Decimal(PRICE))], [("priced", 1, Decimal(PRICE))])
    all_is_well(people)


def test_play_money_and_real_money_are_never_added_together(people: People) -> None:
    add_call(people, "ada", cost=1, end_user="u1", tags={"team": "web"})
    add_call(people, "ada", cost=10, upstream="openai", end_user="u1", tags={"team": "web"})
    add_open_call(people, "ada", upstream="openai")
    assert shown(people, "calls", "cost") == (1, 1)
    people.conn.execute("update public.organizations set books = 'openai'")
    assert shown(people, "calls", "cost") == (2, 10)
    with people.as_("ada"):
        assert people.one("select sum(cost) as cost from public.spend_by_tag")["cost"] == 10
    all_is_well(people)


def test_what_is_rolled_back_leaves_nothing_in_the_sums(people: People) -> None:
    message = opened(people)
    with pytest.raises(ZeroDivisionError), people.conn.transaction():
        settle(people, message)
        raise ZeroDivisionError
    assert kept(people) == []
    assert settle(people, message) == "settled"
    assert shown(people, "calls") == (1,)


def test_a_statement_that_settles_nothing_writes_no_sum(people: People) -> None:
    opened(people)
    people.settle_calls()
    people.conn.execute("update public.usage_logs set state = 'settled' where false")
    assert people.all("select * from public.daily_totals") == []


@pytest.mark.parametrize("trigger", ["totals_follow_insert", "totals_follow_update"])
def test_without_a_trigger_it_would_be_noticed(people: People, trigger: str) -> None:
    people.conn.execute(f"alter table public.usage_logs disable trigger {trigger}")
    add_call(people, "ada", datetime.now(UTC))
    call = add_open_call(people, "ada", datetime.now(UTC))
    people.conn.execute(
        "update public.usage_logs set state = 'settled', settled_at = now(), cost = 1, cost_status = 'priced'"
        " where id = %s", [call])  # fmt: skip
    assert [(row["part"], row["calls"]) for row in differences(people)] == [("all", 1), ("all by hour", 1)]


def test_a_call_that_cannot_be_added_is_not_settled_either(people: People) -> None:
    message = opened(people)
    people.conn.execute("alter table public.daily_totals add check (calls < 1)")
    with pytest.raises(psycopg.errors.CheckViolation), people.conn.transaction():
        settle(people, message)
    assert people.one("select state from public.usage_logs")["state"] == "open"


def test_nobody_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_follow_calls") == set()
