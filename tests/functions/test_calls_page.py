"""app.calls_page: calls newest first, a page at a time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
from checks import executors
from ledgers import DAY, add_call, sums
from people import People

PAGE = "select * from app.calls_page(%s, %s, %s::jsonb, %s, %s, %s)"
ALL = (DAY - timedelta(days=3), DAY + timedelta(days=3))


def pages(
    people: People, size: int, filters: dict[str, list[str]] | None = None, who: str = "ada"
) -> list[list[dict[str, Any]]]:
    """Every page, turned as the API does."""
    result, before = [], (None, None)
    while not result or len(result[-1]) == size:
        with people.as_(who):
            result.append(people.all(PAGE, *ALL, json.dumps(filters or {}), *before, size))
        if result[-1]:
            before = (result[-1][-1]["started_at"], result[-1][-1]["id"])
    return result


def test_turning_pages_shows_every_call_once_newest_first_also_among_calls_of_one_moment(ledger: People) -> None:
    whole = [row for page in pages(ledger, 4) for row in page]
    assert [len(page) for page in pages(ledger, 4)] == [4, 4, 4, 3]
    assert len({row["id"] for row in whole}) == sums(ledger)["calls"] == 15
    assert whole == sorted(whole, key=lambda row: (row["started_at"], row["id"]), reverse=True)
    assert whole == pages(ledger, 100)[0]


def test_calls_that_arrive_meanwhile_shift_nothing(ledger: People) -> None:
    with ledger.as_("ada"):
        first = ledger.all(PAGE, *ALL, "{}", None, None, 5)
    add_call(ledger, "ada", DAY + timedelta(days=2))
    with ledger.as_("ada"):
        second = ledger.all(PAGE, *ALL, "{}", first[-1]["started_at"], first[-1]["id"], 100)
    assert not {row["id"] for row in first} & {row["id"] for row in second}
    assert len(first) + len(second) == 15


def test_a_filter_holds_on_every_page(ledger: People) -> None:
    rows = [row for page in pages(ledger, 2, {"cost_status": ["error"]}) for row in page]
    assert [row["cost_status"] for row in rows] == ["error", "error"]


def test_eve_pages_through_her_own_calls_alone(ledger: People) -> None:
    assert {row["org_id"] for row in pages(ledger, 10, who="eve")[0]} == {ledger.orgs["eve"]}


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "calls_page") == {"authenticated"}
