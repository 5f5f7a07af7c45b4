"""app.focus_charges: the charges of a month; they add up to the ledger, or once it is closed to OpenAI's bill."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest
from checks import executors
from closes import AGREES, MILLION, MONTH, NO_QUANTITY, OUTSIDE, close, fetched, month, state
from openai_books import call, linked_key, moment, own_price, worked_day
from people import People
from pricing import add_price


def charges(people: People, at: date = MONTH) -> list[dict[str, Any]]:
    return people.all("select * from app.focus_charges(%s, %s)", people.orgs["ada"], at)


def billed(people: People, at: date = MONTH) -> D:
    return sum((row["billed"] for row in charges(people, at)), D(0))


def correct(people: People, made: UUID, delta: str, at: str) -> None:
    people.conn.execute(
        "insert into public.cost_adjustments (call_id, call_started_at, org_id, delta, reason, at)"
        " select id, started_at, org_id, %s, 'wrong price', %s from public.usage_logs where id = %s", [delta, at, made],
    )  # fmt: skip


def test_a_month_that_is_not_closed_adds_up_to_the_ledger(people: People) -> None:
    worked_day(people)
    rows = charges(people)
    assert {row["kind"] for row in rows} == {"usage"}
    assert billed(people) == D("2.3074444")
    assert {row["closed"] for row in rows} == {False}


def test_a_closed_month_adds_up_to_what_openai_billed_whatever_comes_later(people: People) -> None:
    made = month(people, OUTSIDE, NO_QUANTITY)
    correct(people, made, "0.01", "2026-11-01T00:00:00Z")  # before the close: part of the closed month
    close(people, "signed off")
    assert billed(people) == D("0.305")
    named = {row["reason"]: row["billed"] for row in charges(people) if row["kind"] == "difference"}
    assert named == {"outside_key": D("0.15"), "no_quantity": D("0.005"), "correction": D("-0.01")}
    correct(people, made, "0.5", "2100-01-01T00:00:00Z")
    call(people, None, moment("10:00:00"), "gpt-4o-mini", MILLION, seconds=9e9)  # settled after the close
    assert billed(people) == D("0.305")
    assert billed(people, date(2100, 1, 1)) == 0  # a correction of a call of a closed month: OpenAI's bill stays


def test_a_cost_that_is_filled_in_after_the_close_is_not_in_the_closed_month(people: People) -> None:
    month(people)
    unknown = call(people, None, moment("10:00:00"), "gpt-99", MILLION)
    close(people, "signed off")
    add_price(people.conn, "gpt-99", "input_text", "3")
    people.one("select count(*) from app.reprice('2026-10-01', '2026-11-01', 'a price came', false)")
    assert people.one("select cost from public.usage_logs where id = %s", unknown)["cost"] == 3
    assert billed(people) == D("0.15")


def test_a_restatement_is_a_charge_of_the_month_in_which_it_was_fetched(people: People) -> None:
    month(people)
    close(people)
    fetched(people, (*AGREES[:4], "0.25"), times=1)
    assert state(people)["restated_openai"] == D("0.1")
    assert billed(people) == D("0.15")
    today = people.one("select date_trunc('month', now() at time zone 'utc')::date as m")["m"]
    (row,) = charges(people, today)
    assert (row["kind"], row["since"], row["until"], row["billed"]) == (
        "restatement",
        MONTH,
        date(2026, 11, 1),
        D("0.1"),
    )


def test_a_change_stays_in_the_month_in_which_it_was_first_fetched(people: People) -> None:
    month(people)
    close(people)
    for n, dollars in enumerate(("0.25", "0.25", "0.20"), 1):
        fetched(people, (*AGREES[:4], dollars), times=1)
        people.conn.execute("alter table public.openai_fetches disable trigger user")
        people.conn.execute("update public.openai_fetches set at = make_date(2030, %s, 9) where n = 2 + %s", [n, n])
        people.conn.execute("alter table public.openai_fetches enable trigger user")
    assert state(people)["restated_openai"] == D("0.05")
    assert [billed(people, date(2030, n, 1)) for n in (1, 2, 3)] == [D("0.1"), 0, D("-0.05")]


def test_a_correction_counts_in_the_month_in_which_it_was_booked(people: People) -> None:
    made = month(people)
    correct(people, made, "-0.05", "2026-10-20T00:00:00Z")
    correct(people, made, "-0.02", "2026-11-20T00:00:00Z")
    assert billed(people) == D("0.10")
    (row,) = charges(people, date(2026, 11, 1))
    assert (row["kind"], row["billed"], row["since"]) == ("correction", D("-0.02"), date(2026, 10, 14))


def test_a_usage_row_has_list_price_and_own_price(people: People) -> None:
    own_price(people, "gpt-4o-mini", "input_text", "0.10")
    call(people, linked_key(people), moment("10:00:00"), "gpt-4o-mini", MILLION)
    (row,) = charges(people)
    assert (row["unit_price"], row["list_price"], row["pricing_quantity"]) == (D("0.1"), D("0.15"), 1)
    assert (row["billed"], row["contracted"], row["list_cost"]) == (D("0.1"), D("0.1"), D("0.15"))


def test_a_discount_has_a_quantity_below_0_and_no_price_below_0(people: People) -> None:
    usage = {"input_tokens": 10_000, "output_tokens": 0, "completion_window": "2h"}
    call(people, linked_key(people), moment("10:00:00"), "gpt-6.1-sol", usage)
    rows = charges(people)
    assert sum(row["billed"] for row in rows) == D("0.014")
    (row,) = [row for row in rows if row["dimension"] == "completion_window"]
    assert (row["quantity"], row["unit_price"], row["list_price"]) == (D("-0.02"), D("0.3"), D("0.3"))
    assert row["billed"] == row["contracted"] == row["list_cost"] == D("-0.006")
    assert all(row["unit_price"] >= 0 and row["list_price"] >= 0 for row in rows)


def test_a_cost_typed_in_is_a_charge_of_its_own(people: People) -> None:
    call(people, linked_key(people), moment("10:00:00"), "gpt-4o-mini", None, cost=D("0.7"), cost_status="priced")
    (row,) = charges(people)
    assert (row["kind"], row["billed"], row["model"]) == ("by hand", D("0.7"), "gpt-4o-mini")


@pytest.mark.parametrize("begun", [False, True])
def test_a_month_whose_calls_were_dropped_is_refused(people: People, begun: bool) -> None:
    """Also from when flask retention has begun to take it out: else the file would lack all its calls."""
    if begun:
        people.conn.execute("select app.ensure_partition(%s)", [MONTH])
        people.conn.execute(f"alter table public.usage_logs detach partition private.usage_logs_{MONTH:%Y_%m}")
    else:
        people.conn.execute("insert into private.dropped_months (month, calls, reason) values (%s, 1, 'old')", [MONTH])
    refused = people.refused("PT409", "select * from app.focus_charges(%s, %s)", people.orgs["ada"], MONTH)
    assert refused.diag.message_detail == "month_dropped"
    assert executors(people.conn, "focus_charges") == set()
