"""app.reconcile_day: a day of OpenAI's books beside the ledger, every part of the difference named."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from checks import executors
from openai_books import DAY, WORKED, call, compare, doubtful, fetch, linked_key, minute, moment, named, worked_day
from people import People

TOMORROW = DAY + timedelta(days=1)


def test_the_worked_day_comes_out_to_the_last_digit(people: People) -> None:
    ids = worked_day(people)
    parts = compare(people)
    assert named(parts) == {
        ("gpt-4o-mini, input", "in_doubt"): D("0.0075"),
        ("gpt-4o-mini, output", "in_doubt"): D("0.0048"),
        ("gpt-4o-mini, output", "day_boundary"): D("-0.0018"),
        ("gpt-5.6-luna, output", "free_tokens"): D("-0.0231444"),
        ("gpt-4.1, output", "own_rate"): D("-0.04"),
        ("web search tool calls", "quantity_unexplained"): D("0.01"),
        ("gpt-5.4-2026-03-05, output", "outside_key"): D("0.15"),
        ("evals | gpt-4o-mini-2024-07-18, input", "surface"): D("0.0015"),
        ("file search tool calls", "no_quantity"): D("0.005"),
    }
    assert [part["detail"] for part in parts if part["reason"] == "own_rate"] == [{"ratio": D("0.9")}]
    assert {tuple(part["detail"]["calls"]) for part in parts if part["reason"] == "in_doubt"} == {(str(ids["doubt"]),)}
    day = people.one("select * from public.reconciled_days where day = %s", DAY)
    assert (day["openai"], day["ledger"]) == (D("2.4213"), D("2.3074444"))
    assert sum(part["amount"] for part in parts) == D("0.1138556") == day["openai"] - day["ledger"]
    both = named(compare(people, TOMORROW))
    assert both == {("gpt-4o-mini, output", "day_boundary"): D("0.0018")}  # over both days nothing is left of it


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "reconcile_day") == set()


def test_a_day_that_was_never_fetched_is_not_compared(people: People) -> None:
    call(people, linked_key(people), moment("09:00:00"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5})
    assert compare(people) == []
    assert people.all("select * from public.reconciled_days") == []


def test_the_newest_fetch_counts_and_a_day_without_lines_is_zero(people: People) -> None:
    worked_day(people)
    compare(people)
    fetch(people, {DAY: []})
    assert sum(part["amount"] for part in compare(people)) == D("-2.3074444")
    fetch(people, {DAY: [*WORKED, (None, "evals | o3, output", 1, "tokens", "1")]})
    assert sum(part["amount"] for part in compare(people)) == D("1.1138556")


def test_while_the_calls_of_the_month_are_being_dropped_what_was_compared_stays(people: People) -> None:
    """Else it would be compared with a ledger without calls, and stay so: a dropped month is not compared again."""
    worked_day(people)
    before = compare(people)
    people.conn.execute("set constraints all immediate")
    people.conn.execute(f"alter table public.usage_logs detach partition private.usage_logs_{DAY:%Y_%m}")
    people.conn.execute("set constraints all deferred")
    fetch(people, {DAY: []})
    assert compare(people) == before


def test_calls_without_a_price_get_openais_and_do_not_stop_the_comparison(people: People) -> None:
    key = linked_key(people)
    usage = {"input_tokens": 1000, "output_tokens": 0}
    call(people, key, moment("09:00:00"), "gpt-99-2031-01-31", usage)
    call(people, key, moment("10:00:00"), "gpt-99", usage, service_tier="flex")
    doubtful(people, key, moment("11:00:00"), "gpt-98")
    bill = [
        ("key_proxy", "gpt-99-2031-01-31, input", 1000, "tokens", 3),
        ("key_proxy", "gpt-98, output", 7, "tokens", 7),
    ]
    made = fetch(people, {DAY: bill})
    minute(people, made, moment("11:01:00"), "gpt-98-2031-01-31", output_tokens=7)
    assert named(compare(people)) == {("gpt-99, input", "unpriced"): 3, ("gpt-98, output", "in_doubt"): 7}


MINI = "gpt-4o-mini-2024-07-18"
SOL = {"input_tokens": 10_000, "output_tokens": 0}  # 0.02 dollars of gpt-6.1-sol


def billed(item: str, quantity: int, dollars: str) -> tuple[str, str, int, str | None, str]:
    return ("key_proxy", item, quantity, "tokens", dollars)


def test_prices_of_several_things_on_one_line_are_no_change_of_a_price(people: People) -> None:
    key = linked_key(people)
    for clock, model in (("09:00:00", "gpt-5.4"), ("10:00:00", MINI)):
        call(people, key, moment(clock), model, None, tools={"web_search_calls": 5})
    fetch(people, {DAY: [billed("web search tool calls", 10, "0.0777")]})
    assert {part["reason"] for part in compare(people)} == {"price_differs"}


@pytest.mark.parametrize(
    ("asked", "dollars", "reason"),
    [({}, "0.018", "own_rate"), ({}, "0.06", "price_differs"), ({"region": "eu"}, "0.022", "price_differs"),
     ({"completion_window": "2h"}, "0.014", "price_differs"), ({"completion_window": "2h"}, "0.018", "own_rate")],
)  # fmt: skip
def test_a_rate_of_ones_own_is_a_discount_that_the_ledger_does_not_know(
    people: People, asked: dict[str, str], dollars: str, reason: str
) -> None:
    call(people, linked_key(people), moment("09:00:00"), "gpt-6.1-sol", SOL | asked)
    fetch(people, {DAY: [billed("gpt-6.1-sol, input", 10_000, dollars)]})
    parts = {part["line"].partition(":")[0]: part["reason"] for part in compare(people)}
    assert parts.pop("gpt-6.1-sol, input") == reason
    assert set(parts.items()) <= {(f"*tokens, {name}", "missing_at_openai")
                                  for name in ("regional_processing", "completion_window")}  # fmt: skip


def test_a_line_of_nothing_but_calls_at_midnight_is_explained_on_both_days(people: People) -> None:
    call(people, linked_key(people), moment("23:59:59"), "gpt-6.1-sol", SOL, seconds=5)
    fetch(people, {DAY: [], TOMORROW: [billed("gpt-6.1-sol, input", 10_000, "0.02")]})
    both = [named(compare(people, day)) for day in (DAY, TOMORROW)]
    assert both == [{("gpt-6.1-sol, input", "day_boundary"): D(sign) * D("0.02")} for sign in (-1, 1)]
    for lines in ([], [("key_laptop", "gpt-6.1-sol, input", 10_000, "tokens", "0.02")]):  # not billed, or another key
        fetch(people, {TOMORROW: lines})
        assert named(compare(people)) == {("gpt-6.1-sol, input", "missing_at_openai"): D("-0.02")}
