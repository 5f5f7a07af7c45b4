"""app.reprice_new: prices again exactly the calls that price rows added since the last run affect."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from pricing import add_price
from spending import days_ago, spent

USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
NEW = """
select organization, model, first_moment, calls, filled_calls, filled_cost, adjusted_calls, adjusted_cost
from app.reprice_new('a sync', %s)
"""


def run(people: People, dry_run: bool = False) -> list[tuple[Any, ...]]:
    rows = people.all(NEW, dry_run)
    return [(row["organization"], row["model"], *list(row.values())[3:]) for row in rows]


def shipped_rows_are_known(people: People) -> None:
    """A run of long ago, after which the rows of the shipped list are not new."""
    people.conn.execute(
        "insert into private.price_sync_runs (kind, at, source, counts, difference)"
        " select 'reprice', max(created_at) + interval '1 hour', 'r', '{}', '[]' from public.model_prices"
    )


def test_a_new_model_fills_the_calls_that_had_no_price_and_a_second_run_finds_nothing(people: People) -> None:
    for day in (1, 40):
        spent(people, model="gpt-99", usage=USAGE, at=days_ago(day))
    spent(people, model="gpt-98", usage=USAGE)
    assert run(people) == []
    add_price(people.conn, "gpt-99", "input_text", "3")
    expected = [("Acme", "gpt-99", 2, 2, Decimal(6), 0, 0)]
    assert run(people, dry_run=True) == expected
    assert people.all("select * from public.cost_fills") == []
    assert run(people) == expected
    assert {row["reason"] for row in people.all("select reason from public.cost_fills")} == {"a sync"}
    assert run(people) == run(people, dry_run=True) == []
    runs = people.one("select count(*) as n, max(source) as reason from private.price_sync_runs where kind = 'reprice'")
    assert (runs["n"], runs["reason"]) == (3, "a sync")


def test_only_the_period_of_the_new_row_is_priced_again(people: People) -> None:
    shipped_rows_are_known(people)
    for day in (2, 5, 8):
        spent(people, model="gpt-4o-mini", usage=USAGE, at=days_ago(day))
    add_price(people.conn, "gpt-4o-mini", "input_text", "0.25", valid_from=days_ago(3))
    add_price(people.conn, "gpt-4o-mini", "input_text", "0.5", valid_from=days_ago(6))
    expected = [("Acme", "gpt-4o-mini", 2, 0, 0, 2, Decimal("0.45"))]
    assert run(people, dry_run=True) == expected
    (row,) = people.all("select first_moment, last_moment from app.reprice_new('r', true)")
    assert abs(row["first_moment"] - days_ago(6)) < timedelta(minutes=5)
    assert run(people) == expected and run(people) == []


def test_rows_of_before_the_last_run_are_not_looked_at_again(people: People) -> None:
    spent(people, model="gpt-99", usage=USAGE)
    add_price(people.conn, "gpt-99", "input_text", "3")
    shipped_rows_are_known(people)
    assert run(people, dry_run=True) == []


def test_a_price_from_today_on_changes_no_call_that_was_made_before(people: People) -> None:
    spent(people, model="gpt-4o-mini", usage=USAGE, at=days_ago(2))
    add_price(people.conn, "gpt-4o-mini", "input_text", "0.5", valid_from=days_ago(1))
    assert run(people) == []


def test_a_corrected_price_is_one_correction_of_the_calls_it_was_for(people: People) -> None:
    spent(people, model="gpt-4o-mini", usage=USAGE, at=days_ago(2))
    spent(people, model="gpt-4o", usage=USAGE, at=days_ago(2))
    add_price(people.conn, "gpt-4o-mini", "input_text", "0.2", valid_from="-infinity", revision=2)
    assert run(people) == [("Acme", "gpt-4o-mini", 1, 0, 0, 1, Decimal("0.05"))]


def test_an_own_price_is_for_the_calls_of_its_organization(people: People) -> None:
    for name in ("ada", "eve"):
        spent(people, name, model="gpt-4o-mini", usage=USAGE, at=days_ago(2))
    add_price(people.conn, "gpt-4o-mini", "input_text", "0.1", org_id=people.orgs["eve"])
    assert run(people) == [("Evil", "gpt-4o-mini", 1, 0, 0, 1, Decimal("-0.05"))]


def test_a_reason_is_needed_and_nobody_but_the_owner_may_run_it(people: People) -> None:
    people.refused("PT400", "select * from app.reprice_new(' ', true)")
    assert executors(people.conn, "reprice_new") == set()


def test_rows_of_models_and_shares_that_pricing_derives_affect_their_calls(people: People) -> None:
    shipped_rows_are_known(people)
    usage = {"input_tokens": 100_000, "output_tokens": 0}
    spent(people, model="gpt-6-luna", usage=usage, endpoint="/v1/decisions")
    spent(people, model="gpt-6.1-sol", usage={**usage, "region": "eu"})
    drawn = {"input_tokens": 1_000_000, "output_tokens": 0, "model": "gpt-98"}
    spent(people, model="gpt-6.1-sol", usage={**usage, "svg_usage": drawn})
    add_price(people.conn, "gpt-6-luna-decisions", "input_text", "0.3", valid_from=days_ago(30))
    add_price(people.conn, "gpt-98", "input_text", "1", valid_from=days_ago(30))
    add_price(people.conn, "*tokens", "regional_processing", "0.2", unit_qty=1, qualifier="eu", valid_from=days_ago(30))
    assert {row[1] for row in run(people)} == {"gpt-6-luna", "gpt-98", "*tokens"}
    assert run(people) == []
