"""app.price_sync: see also test_commands_prices_sync, which runs it with the source's own data."""

from __future__ import annotations

import json
from typing import Any

from checks import executors
from people import People

SYNC = "select * from app.price_sync(%s::jsonb, %s::jsonb, %s) where change <> 'missing'"
KEY = {"model": "gpt-4o", "dimension": "input_text", "service_tier": "standard", "context_min_tokens": 0}


def sources(*rows: Any) -> str:
    """Two sources that agree on these rows."""
    return json.dumps([{"name": f"{name} test", "rows": rows, "aliases": []} for name in ("genai-prices", "litellm")])


def sync(people: People, *prices: tuple[str | None, str], dry_run: bool = False) -> list[tuple[Any, ...]]:
    rows = [KEY | {"unit_price": price, "unit_qty": 1000000, "begins": begins} for begins, price in prices]
    found = people.all(SYNC, sources(*rows), "{}", dry_run)
    return [(row["change"], row["new_price"]) for row in found]


def test_of_several_rows_for_one_moment_the_last_counts_and_past_ones_do_not(people: People) -> None:
    rows = [(None, "9"), ("2026-01-01", "8"), ("2026-01-01", "2.5")]
    assert [(change, str(price)) for change, price in sync(people, *rows)] == [("equal", "2.5")]


def test_a_price_for_another_quantity_is_the_same_price(people: People) -> None:
    row = KEY | {"unit_price": "0.0025", "unit_qty": 1000, "begins": None}
    assert [r["change"] for r in people.all(SYNC, sources(row), "{}", False)] == ["equal"]


def test_a_price_that_was_changed_back_is_a_new_row_again(people: People) -> None:
    for price in ("2", "2.5", "2"):
        sync(people, (None, price))
    rows = people.all(
        "select unit_price::float, revision from public.model_prices"
        " where model = 'gpt-4o' and valid_from > '-infinity' order by revision"
    )
    assert [tuple(row.values()) for row in rows] == [(2, 1), (2.5, 2), (2, 3)]


def test_a_dry_run_writes_nothing(people: People) -> None:
    assert sync(people, (None, "2"), dry_run=True)[0][0] == "changed"
    assert people.all("select * from private.price_sync_runs where kind = 'sync'") == []
    assert sync(people, (None, "2"))[0][0] == "changed"
    assert len(people.all("select * from private.price_sync_runs where kind = 'sync'")) == 1
    for statement in ("delete from", "truncate"):
        people.refused("PT405", f"{statement} private.price_sync_runs")


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_sync") == set()
