"""app.reprice: missing costs are filled; known costs stay and get one correction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from people import People
from pricing import add_price
from spending import days_ago, spent

REPRICE = "select * from app.reprice(%s, %s, %s, %s) where org_id = %s"
DONE = ("calls", "filled_calls", "filled_cost", "adjusted_calls", "adjusted_cost", "unpriced_calls")
DAY = days_ago(5).replace(hour=0, minute=0, second=0, microsecond=0)
MODEL = "gpt-4o-mini"
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}


def reprice(people: People, who: str = "ada", dry_run: bool = False, since: datetime | None = None) -> tuple[Any, ...]:
    row = people.one(REPRICE, since or days_ago(60), days_ago(-1), "a test", dry_run, people.orgs[who])
    return tuple(row[name] for name in DONE) if row else (0,) * 6


def deltas(people: People) -> list[Decimal]:
    return [row["delta"] for row in people.all("select delta from public.cost_adjustments order by at, id")]


def test_calls_that_had_no_price_get_one_with_a_line_for_each(people: People) -> None:
    calls = [spent(people, model="gpt-99", usage=USAGE, at=days_ago(n)) for n in (1, 40)]
    spent(people, model="gpt-98", usage=USAGE)
    add_price(people.conn, "gpt-99", "input_text", "3.000000001")
    assert reprice(people, dry_run=True) == (3, 2, Decimal("6.000000002"), 0, 0, 1)
    assert people.all("select * from public.cost_fills") == people.all("select * from public.audit_log where false")
    assert reprice(people) == (3, 2, Decimal("6.000000002"), 0, 0, 1)
    assert reprice(people) == (3, 0, 0, 0, 0, 1), "a second run found something to do"
    fills = people.all("select * from public.cost_fills")
    assert {(row["call_id"], row["old_status"], row["new_status"], row["reason"]) for row in fills} == {
        (call, "unpriced_model", "priced", "a test") for call in calls
    }
    (line,) = people.all("select * from public.audit_log where action = 'calls.repriced'")
    assert line["details"]["filled_cost"] == "6.000000002000" and line["org_id"] == people.orgs["ada"]


def test_a_cost_stays_and_the_difference_is_booked_now_and_only_once(people: People) -> None:
    call = spent(people, model=MODEL, usage=USAGE, at=days_ago(40))
    began = people.one("select clock_timestamp() as at")["at"]
    wrong = add_price(people.conn, MODEL, "input_text", "0.1", valid_from=days_ago(50))
    assert reprice(people, dry_run=True)[3:5] == (1, Decimal("-0.05"))
    assert deltas(people) == []
    assert reprice(people) == (1, 0, 0, 1, Decimal("-0.05"), 0)
    assert reprice(people) == (1, 0, 0, 0, 0, 0)
    row = people.one("select * from public.usage_logs where id = %s", call)
    assert (row["cost"], row["cost_status"]) == (Decimal("0.15"), "priced")
    (adjustment,) = people.all("select * from public.cost_adjustments")
    assert adjustment["at"] >= began and adjustment["reason"] == "a test"
    assert adjustment["details"]["new"]["price_ids"] == [wrong]
    assert adjustment["details"]["old"]["lines"] == row["cost_lines"]
    # Corrected again: against the cost and what was booked before.
    right = add_price(people.conn, MODEL, "input_text", "0.3", valid_from=days_ago(50), revision=2)
    assert reprice(people)[3:5] == (1, Decimal("0.2"))
    last = people.one("select details from public.cost_adjustments order by at desc limit 1")["details"]
    assert (last["old"]["price_ids"], last["new"]["price_ids"]) == ([wrong], [right])


def test_errors_free_calls_and_calls_without_usage_are_left_alone(people: People) -> None:
    spent(people, outcome="error", usage=None, status_code=500)
    spent(people, outcome="no_usage", usage=None)
    spent(people, outcome="pending", usage=None, account="a")
    spent(people, endpoint="/v1/moderations", model="omni-moderation-latest", usage=None)
    add_price(people.conn, MODEL, "input_text", "9", valid_from=days_ago(50))
    assert reprice(people) == (0,) * 6
    assert deltas(people) == people.all("select * from public.cost_fills") == []


def test_only_calls_of_the_period_and_the_books_are_priced_and_only_for_whom_the_price_is(people: People) -> None:
    begin = days_ago(3).replace(microsecond=0)
    for seconds in (-1, 0, 1):
        spent(people, usage=USAGE, at=begin + timedelta(seconds=seconds))
    spent(people, "eve", usage=USAGE)
    spent(people, usage=USAGE, upstream="openai")
    add_price(people.conn, MODEL, "input_text", "1.15", org_id=people.orgs["ada"])
    assert reprice(people, since=begin) == (2, 0, 0, 2, 2, 0)
    assert reprice(people, "eve") == (1, 0, 0, 0, 0, 0)


def test_many_calls_are_priced_in_batches_each_once(people: People) -> None:
    spent(people, at=days_ago(2))
    people.conn.execute(
        "insert into public.usage_logs select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*"
        " from public.usage_logs u, generate_series(1, 1200)"
    )
    add_price(people.conn, MODEL, "input_text", "1.15", valid_from=days_ago(50))
    assert reprice(people) == (1201, 0, 0, 1201, Decimal("1.201"), 0)
    assert reprice(people)[3] == 0


def test_a_price_that_changes_at_midnight_utc_counts_from_that_moment(people: People) -> None:
    at = {n: spent(people, usage=USAGE, at=DAY + timedelta(seconds=n)) for n in (-1, 0, 1)}
    add_price(people.conn, MODEL, "input_text", "1.15", valid_from=DAY)
    people.conn.execute("select set_config('timezone', 'America/Los_Angeles', true)")
    reprice(people)
    rows = people.all("select call_id, delta from public.cost_adjustments")
    assert {row["call_id"]: row["delta"] for row in rows} == {at[0]: 1, at[1]: 1}


AMOUNT = st.integers(0, 10**9)
DIMENSIONS = ("input_text", "output_text", "cached_text")
# What every kind of token costs from before the first call on, and what some cost from a later day on.
LATER = st.lists(st.tuples(st.sampled_from(DIMENSIONS), AMOUNT, st.integers(-3, 3)), max_size=2)
PRICES = st.tuples(st.tuples(AMOUNT, AMOUNT, AMOUNT), LATER)


@given(calls=st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=4),
       rounds=st.lists(PRICES, min_size=2, max_size=3))  # fmt: skip
@examples(25)
def test_whatever_prices_come_corrected_costs_are_what_they_give_and_twice_is_once(
    people: People, calls: list[tuple[int, int, int]], rounds: list[Any]
) -> None:
    with people.conn.transaction(force_rollback=True):
        for day, tokens_in, tokens_out in calls:
            usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out,
                     "prompt_tokens_details": {"cached_tokens": tokens_in // 3}}  # fmt: skip
            spent(people, model="gpt-99", usage=usage, at=DAY + timedelta(days=day))
        for number, prices in enumerate(rounds, 1):
            first = [(dimension, price, -4) for dimension, price in zip(DIMENSIONS, prices[0], strict=True)]
            for place, (dimension, price, day) in enumerate(first + prices[1]):
                row = {"revision": number * 10 + place, "valid_from": DAY + timedelta(days=day)}
                add_price(people.conn, "gpt-99", dimension, str(Decimal(price).scaleb(-10)), **row)
            reprice(people)
            assert reprice(people)[1:5] == (0, 0, 0, 0), "a second run added something"
        rows = people.all("""
            select c.cost, c.cost_corrected, p.cost as right_cost,
                (select sum((l ->> 'cost')::numeric) from jsonb_array_elements(c.cost_lines) l) as lines
            from public.calls c, app.price_usage(c.org_id, c.endpoint, c.model, c.model_requested, c.service_tier,
                c.batch, c.usage, c.tools, c.started_at) p""")
        for row in rows:
            assert row["cost_corrected"] == row["right_cost"]
            assert row["lines"] == row["cost"] or row["cost"] in (None, 0)


def test_a_reason_and_a_period_are_needed(people: People) -> None:
    now = datetime.now(UTC)
    for since, until, reason, column in (
        (now, now + timedelta(1), " ", "reason"), (now, now + timedelta(1), "r" * 1001, "reason"),
        (now, now, "r", "to"), (None, now, "r", "to"),
    ):  # fmt: skip
        error = people.refused("PT400", "select app.reprice(%s, %s, %s, false)", since, until, reason)
        assert error.diag.column_name == column


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "reprice") == set()


def test_a_call_whose_first_fill_left_it_without_a_cost_is_filled_when_its_price_comes(people: People) -> None:
    made = people.open_message("ada", endpoint="/v1/responses", model="gpt-99", **people.now_id())
    look = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}")
    people.open_calls(made, look)
    answer = {"account": "install", "upstream_object_id": "resp_1", "model": "gpt-99"}
    people.settle_calls(people.settle_message("ada", made, outcome="pending", usage=None, **answer))
    seen = {
        "method": "GET",
        "endpoint": "/v1/responses/{response_id}",
        "usage": {"input_tokens": 10, "output_tokens": 0},
    }
    people.settle_calls(people.settle_message("ada", look, **(answer | seen)))
    add_price(people.conn, "gpt-99", "input_text", "3.0")
    assert reprice(people)[1:3] == (1, Decimal("0.00003"))
    statuses = people.all("select old_status, new_status from app.call_fills(%s)", made["id"])
    assert {tuple(row.values()) for row in statuses} == {
        ("pending_object", "unpriced_model"),
        ("unpriced_model", "priced"),
    }
