"""app.price_note: lines whose price is missing or is of another dimension."""

from __future__ import annotations

import json

from checks import executors
from pricing import value

TERMS = json.dumps({"model": "m"})


def note(db, offer, key):
    return value(db, "app.price_note(%s::jsonb, %s, %s::jsonb)", offer and json.dumps(offer), key, TERMS)


def test_a_price_made_for_another_dimension_is_named(db):
    assert note(db, {"dimension": "input_text"}, "cached_text") == {
        "dimension": "cached_text",
        "priced_as": "input_text",
    }


def test_a_qualifier_is_taken_out_of_the_key(db):
    assert note(db, {"dimension": "images"}, "images:a+b") == {"dimension": "images", "qualifier": "a+b"}


def test_a_missing_price_is_null(db):
    empty = {"model": "m", "tier": None, "price_id": None, "unit_price": None, "unit_qty": None}
    assert note(db, None, "calls:big") == empty | {"dimension": "calls", "qualifier": "big"}


def test_tokens_of_an_unknown_tier_have_its_name(db):
    terms = json.dumps({"model": "m", "unknown_tier": "eco"})
    for key, tier in (("input_text", "eco"), ("moon_calls", None)):
        assert value(db, "app.price_note(null, %s, %s::jsonb)", key, terms)["tier"] == tier


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_note") == {"authenticated"}
