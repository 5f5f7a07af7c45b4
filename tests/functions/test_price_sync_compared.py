"""app.price_sync_compared: agreed, differing and single prices beside ours; the command's tests run it with files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks import executors
from people import People
from pricing import add_price

KEY = {"model": "gpt-4o", "dimension": "input_text", "service_tier": "standard", "context_min_tokens": 0}


def change(people: People, first: str | None, second: str | None, accept: dict[str, Any] | None = None) -> Any:
    listed = zip(("genai-prices 1", "litellm 2"), (first, second), strict=True)
    sources = [
        {"name": name, "aliases": [], "rows": [KEY | {"unit_price": price, "unit_qty": 1000000}] if price else []}
        for name, price in listed
    ]
    row = people.one(
        "select change, new_price, agreed from app.price_sync_compared(%s::jsonb, %s::jsonb) where change <> 'missing'",
        json.dumps(sources), json.dumps(accept or {}),
    )  # fmt: skip
    return row["change"], row["new_price"] and float(row["new_price"]), row["agreed"]


@pytest.mark.parametrize(("first", "second", "accept", "result"), [
    ("2.5", "2.5", {}, ("equal", 2.5, True)),
    ("2.5", None, {}, ("equal", 2.5, None)),
    ("2", "2", {}, ("changed", 2, True)),
    ("2", "2.0000000001", {}, ("differ", None, False)),
    ("2", None, {}, ("only", 2, None)),
    (None, "2", {}, ("only", 2, None)),
    (None, "2", {"gpt-4o": None}, ("accepted", 2, None)),
    (None, "2", {"gpt-4o": "litellm"}, ("accepted", 2, None)),
    (None, "2", {"gpt-4o": "genai-prices"}, ("only", 2, None)),
    (None, "2", {"gpt-5": None}, ("only", 2, None)),
    ("2", "3", {"gpt-4o": "litellm"}, ("accepted", 3, False)),
    ("2", "3", {"gpt-4o": "genai-prices"}, ("accepted", 2, False)),
    ("2.5", "3", {"gpt-4o": "genai-prices"}, ("equal", 2.5, False)),
])  # fmt: skip
def test_what_becomes_of_a_price_of_the_shipped_list(
    people: People, first: str | None, second: str | None, accept: dict[str, Any], result: tuple[Any, ...]
) -> None:
    assert change(people, first, second, accept) == result


def test_what_a_person_entered_wins_and_what_is_from_elsewhere_needs_to_be_accepted(people: People) -> None:
    add_price(people.conn, "gpt-4o", "input_text", "7", source="OpenAI pricing page")
    assert change(people, "2", "2") == ("kept", 2, True)
    assert change(people, "2", "2", {"gpt-4o": None}) == ("accepted", 2, True)
    add_price(people.conn, "gpt-4o", "input_text", "8", source="admin", revision=2)
    assert change(people, "2", "2", {"gpt-4o": None}) == ("kept", 2, True)
    # A row of the list that holds from a later day on is in force again.
    add_price(people.conn, "gpt-4o", "input_text", "9", source="litellm 1", valid_from="2021-01-01Z")
    assert change(people, "2", "2") == ("changed", 2, True)


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_sync_compared") == set()
