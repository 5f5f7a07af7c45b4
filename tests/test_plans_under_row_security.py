"""Row security asks once per query who reads, and leaves the index of organization and time in use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from analysts import new_analyst
from psycopg.rows import dict_row

from bench.rls import fill

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)
PERIOD = f"'{START:%F}Z'", f"'{START + timedelta(days=2):%F}Z'"


@pytest.fixture(scope="module")
def filled(stack_dsns: Callable[[str], tuple[str, str]]) -> tuple[str, str, str, str]:
    """Ten organizations with calls; how to connect as owner and superuser, ids of one of them and of a person in it."""
    owner, admin = stack_dsns("spendai_plans")
    return owner, admin, *map(str, fill(admin, 5000, START)["small"])


@pytest.fixture(params=["a person", "an analyst"])
def conn(filled: tuple[str, str, str, str], request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A session of each; a table this small would rather be read whole."""
    owner, admin, org, user = filled
    who = admin if request.param == "a person" else new_analyst(owner, org)
    with psycopg.connect(who, autocommit=True, row_factory=dict_row) as session:
        if who == admin:
            session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": user})])
            session.execute("set role authenticated")
        session.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        yield session


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    """Every node of a plan in JSON."""
    if isinstance(plan, dict):
        if "Node Type" in plan:
            yield plan
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from nodes(part)


def plan(conn: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    return list(nodes(conn.execute(f"explain (format json, verbose) {query}").fetchone()))


def scans(found: list[dict[str, Any]]) -> list[str]:
    """Index conditions of all scans of calls."""
    return [node["Index Cond"] for node in found if node.get("Relation Name", "").startswith("usage_logs_")]


@pytest.mark.parametrize("query", [
    "select * from public.usage_logs where started_at >= {} and started_at < {}",
    "select * from public.calls where started_at >= {} and started_at < {}",
    "select * from public.bookings where entry = 'call' and at >= {} and at < {}",
    "select * from public.ledger_entries where entry = 'call' and at >= {} and at < {}",
])  # fmt: skip
def test_a_period_is_found_by_organization_and_time(conn: psycopg.Connection, query: str) -> None:
    found = scans(plan(conn, query.format(*PERIOD)))
    assert found
    for condition in found:
        assert all(part in condition for part in ("org_id = ", "started_at >= ", "started_at < ")), condition


def test_the_newest_calls_are_read_from_the_end_of_the_index_without_sorting(conn: psycopg.Connection) -> None:
    found = plan(conn, "select * from public.calls order by started_at desc limit 50")
    assert all("org_id = " in cond for cond in scans(found))
    assert "Sort" not in {node["Node Type"] for node in found}


@pytest.mark.parametrize("table", ["usage_logs", "projects", "organizations", "cost_adjustments", "cost_fills"])
def test_who_reads_is_asked_once_and_not_per_row(conn: psycopg.Connection, table: str) -> None:
    for node in plan(conn, f"select org_id from (select *, id as x from public.{table}) t"
                     if table != "organizations" else "select id from public.organizations"):  # fmt: skip
        conditions = json.dumps([node.get(key, "") for key in ("Filter", "Index Cond", "Recheck Cond")])
        assert "_org_id()" not in conditions
