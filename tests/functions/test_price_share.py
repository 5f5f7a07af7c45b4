"""app.price_share: a part of what the tokens of a bill cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from checks import executors
from pricing import value

TOKENS = [{"dimension": "input_text", "cost": 0.3}, {"dimension": "output_text", "cost": 0.7}]
FEE = {"dimension": "web_search_calls", "cost": 5}
EU = "regional_processing:eu"


def offer(price, model="*tokens", dimension="regional_processing"):
    return {"dimension": dimension, "model": model, "unit_price": price, "unit_qty": 1}


def share(db, lines, sheet, key=EU):
    terms = json.dumps({"model": "m", "sheet": sheet})
    return value(db, "app.price_share(%s::jsonb, %s, %s::jsonb)", json.dumps(lines), key, terms)


def test_it_is_a_part_of_what_the_tokens_cost_and_of_nothing_else(db):
    got = share(db, [*TOKENS, FEE], {EU: [offer(0.1)]})
    assert got == offer(Decimal("0.1")) | {"qualifier": "eu", "quantity": 1, "cost": Decimal("0.1")}


def test_a_region_is_a_part_of_what_the_window_left(db):
    lines = [*TOKENS, {"dimension": "completion_window", "cost": -0.3}]
    assert share(db, lines, {EU: [offer(0.1)]})["cost"] == Decimal("0.07")


@pytest.mark.parametrize(
    ("sheet", "cost"),
    [
        ({EU: [offer(0.5, "m"), offer(0.1)]}, Decimal("0.5")),
        ({EU: [offer(0.1)], "regional_processing": [offer(0.2, "m")]}, Decimal("0.2")),
        ({EU: [offer(0.5, "m"), offer(0.1)], "regional_processing": [offer(0, "m")]}, Decimal("0.5")),
        ({"regional_processing": [offer(0.2)]}, None),
        ({}, None),
    ],
)
def test_the_model_s_own_price_goes_first_with_the_region_or_without(db, sheet, cost):
    got = share(db, TOKENS, sheet)
    assert (got["cost"], got["quantity"]) == (cost, 1)
    assert (got["unit_price"] is None) is (cost is None)


def test_there_is_no_line_for_nothing(db):
    assert share(db, TOKENS, {EU: [offer(0.1)], "regional_processing": [offer(0, "m")]}) is None
    assert share(db, [FEE], {EU: [offer(0.1)]}) is None
    assert share(db, [], {}) is None
    assert share(db, [*TOKENS, {"dimension": "cached_text", "cost": None}], {EU: [offer(0.1)]}) is None


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_share") == {"authenticated"}
