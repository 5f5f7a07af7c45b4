"""app.price_sync_undo: the prices from before a sync come back as later rows; nothing is removed."""

from __future__ import annotations

import json
from typing import Any

from checks import executors
from people import People
from pricing import add_price, price, usd

USAGE = {"prompt_tokens": 1000, "completion_tokens": 0}
UNDO = "select model, unit_price::float, undone from app.price_sync_undo(%s, %s) order by model"


def synced(people: People, **prices: str) -> int:
    """Sync these prices of input from two sources that agree; returns the run's id."""
    key = {"dimension": "input_text", "service_tier": "standard", "context_min_tokens": 0, "unit_qty": 1000000}
    rows = [key | {"model": name.replace("_", "-"), "unit_price": value} for name, value in prices.items()]
    sources = [{"name": name, "rows": rows, "aliases": []} for name in ("genai-prices 1", "litellm 2")]
    return people.one("select run from app.price_sync(%s::jsonb, '{}', false) limit 1", json.dumps(sources))["run"]


def undone(people: People, run: int, dry_run: bool = False) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in people.all(UNDO, run, dry_run)]


def test_the_price_of_before_holds_again_and_a_new_one_is_said_to_stay(people: People) -> None:
    now = people.one("select now() as at")["at"]
    run = synced(people, **{"gpt_4o_mini": "9", "gpt_99": "1"})
    assert price(people.conn, "gpt-4o-mini", USAGE, at=now).cost == usd((1000, 9))
    expected = [("gpt-4o-mini", 0.15, True), ("gpt-99", None, False)]
    assert undone(people, run, dry_run=True) == expected
    assert price(people.conn, "gpt-4o-mini", USAGE, at=now).cost == usd((1000, 9))
    assert undone(people, run) == expected
    assert price(people.conn, "gpt-4o-mini", USAGE, at=now).cost == usd((1000, "0.15"))
    assert undone(people, run) == [("gpt-99", None, False)], "a second undo found something to do"
    actions = people.all("select action from public.audit_log where action like 'prices.%%' order by at")
    assert {row["action"] for row in actions} == {"prices.synced", "prices.undone"}


def test_a_price_that_was_changed_again_since_is_left_alone(people: People) -> None:
    run = synced(people, gpt_4o_mini="9")
    today = people.one("select date_trunc('day', now(), 'UTC') as at")["at"]
    add_price(people.conn, "gpt-4o-mini", "input_text", "8", valid_from=today, revision=2)
    assert undone(people, run) == []


def test_only_a_sync_is_undone_and_only_by_the_owner(people: People) -> None:
    people.refused("PT404", "select * from app.price_sync_undo(0, false)")
    assert executors(people.conn, "price_sync_undo") == set()
