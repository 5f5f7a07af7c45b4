"""app.price_page: every price as it was entered, page by page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from people import People

PAGE = "select * from app.price_page(%s, %s)"
ADD = (
    "select * from app.price_add("
    "'gpt-4o-mini', 'input_text', 'standard', 0, '', '0.5', '1000000', '2026-01-01Z', 'a deal')"
)


def pages(people: People, limit: int) -> list[dict[str, Any]]:
    """All prices, read a page at a time."""
    found, after = [], 0
    while page := people.all(PAGE, after, limit):
        assert len(page) <= limit
        found += page
        after = page[-1]["id"]
    return found


@pytest.mark.parametrize("limit", [97, 100_000])
def test_the_pages_have_every_price_once_by_id(people: People, limit: int) -> None:
    ids = people.all("select id from public.model_prices where org_id is null order by id")
    with people.as_("dev"):
        found = pages(people, limit)
    assert len(ids) > 100
    assert [row["id"] for row in found] == [row["id"] for row in ids]
    assert not any(row["own"] for row in found)
    assert {row["valid_from"] for row in found} >= {None}


def test_an_own_price_is_seen_by_its_organization_alone(people: People) -> None:
    with people.as_("ada"):
        made = people.one(ADD)["id"]
    with people.as_("dev"):
        (row,) = people.all(PAGE, made - 1, 10)
    assert (row["id"], row["own"], row["note"], row["unit_price"]) == (
        made,
        True,
        "a deal",
        Decimal("0.5"),
    )
    with people.as_("eve"):
        assert people.all(PAGE, made - 1, 10) == []


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_page") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", PAGE, 0, 1)
