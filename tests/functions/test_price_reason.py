"""app.price_reason: what the price part of a difference is called."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from checks import executors
from openai_books import DAY, fetch, own_price
from people import People

ASK = "select app.price_reason(%s, %s, %s, %s, %s, %s, %s) as reason"
ROW = {"org": None, "day": DAY, "line": "gpt-9, input", "prices": [], "price": D("0.9"), "ratio": D("0.9"),
       "same": True}  # fmt: skip


def reason(people: People, **changes: Any) -> str:
    return people.one(ASK, *(ROW | {"org": people.orgs["ada"]} | changes).values())["reason"]


@pytest.mark.parametrize(("changes", "expected"), [
    ({"line": "corrections"}, "correction"), ({"line": "closed by hand"}, "closed_by_hand"),
    ({"price": D(0), "ratio": None}, "free_tokens"), ({"prices": [1, 2]}, "price_date"), ({}, "own_rate"),
    ({"ratio": D("0.8125")}, "price_differs"), ({"same": False}, "price_differs"),
    ({"ratio": D("0.5")}, "price_differs"), ({"ratio": D("1.000000")}, "price_differs"),
    ({"ratio": D(2)}, "price_differs"),
    ({"ratio": None, "price": None, "same": None}, "price_differs"),
])  # fmt: skip
def test_each_reason(people: People, changes: dict[str, Any], expected: str) -> None:
    assert reason(people, **changes) == expected


def test_the_price_of_another_date_is_recognized_and_that_of_another_organization_is_not(people: People) -> None:
    own_price(people, "gpt-9", "input_text", "10", valid_from=DAY)
    used = people.one("select id from public.model_prices where model = 'gpt-9'")["id"]
    own_price(people, "gpt-9", "input_text", "8", who="eve")
    asked = {"prices": [used], "price": D("0.000008"), "ratio": D("0.8")}
    assert reason(people, **asked) == "own_rate"
    own_price(people, "gpt-9", "input_text", "8", org_id=None, source="list")
    assert reason(people, **asked) == "price_date"  # the own price is from that day on
    assert reason(people, **asked, day=DAY + timedelta(days=30)) == "own_rate"  # OpenAI bills the list price: no change
    own_price(people, "gpt-9", "input_text", "8")
    assert reason(people, **asked) == "price_date"


def test_a_share_that_is_no_whole_percentage_becomes_the_own_rate_once_seen_on_two_other_days(people: People) -> None:
    org = people.orgs["ada"]
    for n in (3, 2, 1):
        assert reason(people, ratio=D("0.8125")) == ("own_rate" if n == 1 else "price_differs")
        day = DAY - timedelta(days=n)
        made = fetch(people, {day: []})
        people.conn.execute(
            "insert into public.reconciled_days (org_id, day, fetch_id, openai, ledger, state) values"
            " (%s, %s, %s, 0, 0, '')", [org, day, made],
        )  # fmt: skip
        people.conn.execute(
            "insert into public.reconciled_parts (org_id, day, n, line, reason, amount, detail) values"
            " (%s, %s, 1, 'gpt-9, input', 'price_differs', 0, '{\"ratio\": 0.8125}')", [org, day],
        )  # fmt: skip


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "price_reason") == set()
