"""app.price_list_age: from when the list is, and when it is stale; asked for moments, so no test waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks import executors
from people import People

AS_OF = datetime(2026, 11, 29, tzinfo=UTC)
AGE = "select * from app.price_list_age(%s)"


def shipped(people: People) -> None:
    people.conn.execute(
        "insert into private.price_sync_runs (kind, as_of, source, counts, difference)"
        " values ('shipped', %s, 'genai-prices 0.2.3', '{}', '[]')",
        [AS_OF.date()],
    )


def synced(people: People, at: datetime, compared: int) -> None:
    people.conn.execute(
        "insert into private.price_sync_runs (at, source, counts, difference)"
        " values (%s, 'genai-prices 1, litellm 2', jsonb_build_object('agreed', 3, 'compared', %s::integer), '[]')",
        [at, compared],
    )


@pytest.mark.parametrize(("days", "stale"), [(0, False), (60, False), (61, True)])
def test_a_list_is_stale_sixty_days_after_it_was_shipped(people: People, days: int, stale: bool) -> None:
    shipped(people)
    with people.as_("ada"):
        row = people.one(AGE, AS_OF + timedelta(days=days))
    assert (row["as_of"], row["sources"], row["synced_at"], row["stale"]) == (
        AS_OF.date(), "genai-prices 0.2.3", None, stale,
    )  # fmt: skip


@pytest.mark.parametrize(("compared", "stale"), [(4, False), (0, True)])
def test_a_sync_makes_it_fresh_when_it_compared_two_sources(people: People, compared: int, stale: bool) -> None:
    shipped(people)
    at = AS_OF + timedelta(days=90)
    synced(people, at, compared)
    row: dict[str, Any] = people.one(AGE, at + timedelta(days=1))
    assert row["stale"] == stale
    assert (row["synced_at"], row["agreed"], row["compared"]) == ((at, 3, 4) if compared else (None, None, None))
    assert people.one(AGE, at + timedelta(days=61))["stale"]


def test_people_may_ask(people: People) -> None:
    assert executors(people.conn, "price_list_age") == {"authenticated"}
