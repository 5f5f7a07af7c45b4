"""Calls for tests that only read them: written into the ledger directly, with any moment, cost and status."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from people import People

SPEND_COLUMNS = (
    "calls", "tokens_in", "tokens_cached", "tokens_out", "cost",
    "unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls",
)  # fmt: skip
# The same numbers from usage_logs, by a query of the tests' own, so not by the code under test.
SUMS = """
    select count(*) as calls, coalesce(sum(tokens_in), 0) as tokens_in,
        coalesce(sum(tokens_cached), 0) as tokens_cached,
        coalesce(sum(tokens_out), 0) as tokens_out, coalesce(sum(cost), 0) as cost,
        coalesce(sum(starts_with(cost_status, 'unpriced')::int), 0) as unpriced_calls,
        coalesce(sum((cost_status = 'no_usage' or cost_status = 'pending_object')::int), 0) as no_usage_calls,
        coalesce(sum((settled_at is null and deadline_at < now())::int), 0) as in_doubt_calls,
        coalesce(sum((status_code between 400 and 599)::int), 0) as error_calls
    from public.usage_logs where org_id = (select id from public.organizations where name = 'Acme')
"""
# Noon of the 10th of next month: the days around it have a partition, whenever the test runs.
DAY = (datetime.now(UTC).replace(day=1) + timedelta(days=40)).replace(
    day=10, hour=12, minute=0, second=0, microsecond=0
)


def add_call(people: People, who: str, at: datetime = DAY, **changes: Any) -> UUID:
    """One row of usage_logs; settled and priced unless ``changes`` say otherwise. Returns its id."""
    row = {
        "id": uuid4(),
        "org_id": people.orgs[who],
        "project_id": people.projects.get(who),
        "started_at": at,
        "api_key_id": people.keys[who].id,
        "deadline_at": at + timedelta(hours=1),
        "settled_at": at,
        "state": "settled",
        "upstream": "sandbox",
        "endpoint": "/v1/chat/completions",
        "method": "POST",
        "stream": False,
        "batch": False,
        "status_code": 200,
        "latency_ms": 120,
        "model_requested": "gpt-4o-mini",
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "tokens_in": 1000,
        "tokens_out": 500,
        "tokens_cached": 100,
        "cost": Decimal("0.000450000001"),
        "cost_status": "priced",
        "tags": {},
        "end_user": None,
    } | changes
    people.conn.execute("select app.ensure_partition(%s)", [row["started_at"].date()])
    values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
    people.conn.execute(
        f"insert into public.usage_logs ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", values
    )
    return row["id"]


def add_open_call(people: People, who: str, at: datetime = DAY, **changes: Any) -> UUID:
    """One row that was never settled; in doubt when its deadline_at has passed."""
    unknown = dict.fromkeys(
        ("settled_at", "status_code", "latency_ms", "model", "service_tier", "tokens_in", "tokens_out", "tokens_cached",
         "cost", "cost_status"))  # fmt: skip
    return add_call(people, who, at, **(unknown | {"state": "open"} | changes))


@pytest.fixture
def ledger(people: People) -> People:
    """Acme with two projects and two keys, calls that ended in every way on two days; Evil with two calls."""
    with people.as_("ada"):
        other = people.one("select * from app.project_create('search')")["id"]
    past = datetime.now(UTC) - timedelta(hours=1)
    unknown = {"cost": None, "tokens_in": 7, "tokens_out": None, "tokens_cached": None}
    for n in range(4):
        add_call(people, "ada", DAY + timedelta(days=n % 2), cost=Decimal("0.000000000001") * 3**n, project_id=other)
    add_call(people, "ada", cost=Decimal("123.456789012345"), model="gpt-5-2025-08-07", model_requested="gpt-5")
    add_call(
        people, "ada", cost=0, cost_status="free", endpoint="/v1/models", method="GET", model=None, model_requested=None
    )
    add_call(people, "ada", cost=0, cost_status="error", status_code=429, model=None)
    add_call(people, "ada", cost=0, cost_status="error", status_code=400, model=None)
    add_call(people, "ada", cost_status="tier_fallback", service_tier="flex")
    add_call(people, "ada", cost_status="unpriced_model", model="gpt-99", **unknown)
    add_call(people, "ada", cost_status="unpriced_dimension", **unknown)
    add_call(people, "ada", cost_status="no_usage", status_code=504, **unknown)
    add_call(people, "ada", cost_status="pending_object", **unknown)
    add_open_call(people, "ada")
    add_open_call(people, "ada", deadline_at=past)
    for n in range(2):
        add_call(people, "eve", DAY + timedelta(days=n), cost=Decimal(1000))
    return people


def sums(people: People, where: str = "true", *args: Any) -> dict[str, Any]:
    """What the views must add up to for Acme's rows that match."""
    return people.one(f"{SUMS} and ({where})", *args)


def added(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums of the rows of a view."""
    return {column: sum(row[column] for row in rows) for column in SPEND_COLUMNS}


def adjust(people: People, call_id: UUID, delta: object, at: datetime) -> None:
    """A correction of a call's cost, booked at a moment."""
    people.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, at)"
        " select org_id, id, started_at, %s, 'a test', %s from public.usage_logs where id = %s",
        [delta, at, call_id],
    )
