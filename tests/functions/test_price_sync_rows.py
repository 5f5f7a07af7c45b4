"""app.price_sync_rows: which rows of a source count, and under which of our models."""

from __future__ import annotations

import json
from typing import Any

from checks import executors
from people import People
from pricing import add_price


def found(people: People, *sources: dict[str, Any]) -> list[tuple[Any, ...]]:
    query = (
        "select place, model, unit_price::float from app.price_sync_rows(%s::jsonb) order by place, model, unit_price"
    )
    return [tuple(row.values()) for row in people.all(query, json.dumps(sources))]


def source(prices: dict[str, str], *aliases: tuple[str, str, str]) -> dict[str, Any]:
    key = {"dimension": "input_text", "service_tier": "standard", "context_min_tokens": 0, "unit_qty": 1000000}
    rows = [key | {"model": model, "unit_price": price} for model, price in prices.items()]
    names = [dict(zip(("kind", "pattern", "model"), alias, strict=True)) for alias in aliases]
    return {"name": "litellm test", "rows": rows, "aliases": names}


def test_a_name_that_costs_what_its_model_costs_is_the_model_and_any_other_is_one_of_its_own(people: People) -> None:
    assert found(people, source({"gpt-5": "1.25", "gpt-5-2025-08-07": "1.25"})) == [(1, "gpt-5", 1.25)]
    both = source({"gpt-5": "1.25", "gpt-5-2025-08-07": "9"})
    assert found(people, both) == [(1, "gpt-5", 1.25), (1, "gpt-5-2025-08-07", 9)]
    assert found(people, source({"gpt-5-2025-08-07": "9"})) == [(1, "gpt-5", 9)]


def test_names_of_a_model_that_we_do_not_have_are_found_in_the_other_source(people: People) -> None:
    new = source({"gpt-9": "1"}, ("prefix", "gpt-9-2027", "gpt-9"))
    assert found(people, new, source({"gpt-9-2027-01-01": "1"})) == [(1, "gpt-9", 1), (2, "gpt-9", 1)]


def test_a_source_with_aliases_has_its_own_models(people: People) -> None:
    add_price(people.conn, "gpt-5", "input_text", "1")
    assert found(people, source({"gpt-5-2025-08-07": "9"}, ("exact", "x", "y"))) == [(1, "gpt-5-2025-08-07", 9)]


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_sync_rows") == set()
