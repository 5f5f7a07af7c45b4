"""app.price_bill: quantities times prices."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from checks import executors
from pricing import exact, usd


def bill(db, quantities, sheet, shares=None, **terms):
    row = db.execute(
        "select cost, cost_lines::text as lines, fallback from app.price_bill(%s::jsonb, %s::jsonb, %s)",
        [json.dumps(quantities), json.dumps({"model": "m", "sheet": sheet} | terms), shares],
    ).fetchone()
    return row["cost"], exact(row["lines"]), row["fallback"]


def offer(dimension, price, per=1_000_000):
    return [{"dimension": dimension, "unit_price": price, "unit_qty": per}]


@pytest.mark.parametrize(("seconds", "per"), [(1, 3600), (7, 3600), (9, 60)])
def test_lines_are_rounded_half_up_to_twelve_decimals_and_sum_to_the_cost(db, seconds, per):
    sheet = {"audio_seconds": offer("audio_seconds", 0.017, per), "input_text": offer("input_text", 3)}
    cost, lines, _ = bill(db, {"audio_seconds": seconds, "input_text": 11}, sheet)
    assert cost == usd((seconds, "0.017", per), (11, 3)) == sum(line["cost"] for line in lines)


def test_a_large_amount_has_all_its_decimals(db):
    assert bill(db, {"x": 123_456_789_011}, {"x": offer("x", 1, 3600)})[0] == usd((123_456_789_011, 1, 3600))


def test_half_of_the_last_decimal_is_rounded_up(db):
    assert bill(db, {"x": 1}, {"x": offer("x", 0.000001, 2_000_000)})[0] == Decimal("0.000000000001")


def test_quantities_of_zero_make_no_line(db):
    assert bill(db, {"input_text": 0, "unheard_of": 0}, {}) == (0, [], False)


def test_one_missing_price_makes_the_sum_unknown(db):
    cost, lines, _ = bill(db, {"input_text": 5, "output_text": 5}, {"input_text": offer("input_text", 1)})
    assert cost is None
    assert [line.get("price_id") for line in lines] == [None, None]


def test_a_fallback_counts_for_tokens_only(db):
    sheet = {"input_text": offer("input_text", 1), "web_search_calls": offer("web_search_calls", 1)}
    assert bill(db, {"input_text": 1, "web_search_calls": 1}, sheet, fallback=True)[2]
    assert not bill(db, {"input_text": 0, "web_search_calls": 1}, sheet, fallback=True)[2]
    assert not bill(db, {"input_text": 1}, sheet, fallback=False)[2]


def test_a_requested_name_is_noted_on_every_line(db):
    assert bill(db, {"x": 1}, {"x": offer("x", 1)}, match="requested")[1][0]["match"] == "requested"
    assert "match" not in bill(db, {"x": 1}, {"x": offer("x", 1)}, match="exact")[1][0]


def test_shares_come_last_in_their_order_and_are_part_of_the_sum(db):
    window = offer("completion_window", -0.5, 1)
    sheet = {"input_text": offer("input_text", 1), "completion_window:2h": window,
             "regional_processing:eu": offer("regional_processing", 0.1, 1)}  # fmt: skip
    cost, lines, _ = bill(
        db, {"input_text": 1000}, sheet, ["completion_window:2h", "regional_processing:eu"], match="requested"
    )
    assert cost == Decimal("0.00055") == sum(line["cost"] for line in lines)
    assert [line["dimension"] for line in lines] == ["input_text", "completion_window", "regional_processing"]
    assert {line["match"] for line in lines} == {"requested"}
    assert bill(db, {"input_text": 1000}, sheet, ["regional_processing:mars"])[0] is None


def test_a_kind_of_token_nobody_knows_has_a_line_without_a_price(db):
    key = "input_tokens_details." + "v" * 59
    cost, lines, _ = bill(db, {"input_text": 5, key: 5}, {"input_text": offer("input_text", 1)})
    assert cost is None
    (unknown,) = [line for line in lines if line["dimension"] == key]
    assert (unknown["quantity"], unknown["unit_price"]) == (5, None)


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_bill") == {"authenticated"}
