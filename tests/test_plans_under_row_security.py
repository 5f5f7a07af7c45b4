"""Row security asks once per query who reads, and leaves the index of organization and time in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from isolation.world import World

PERIOD = "started_at >= '2026-01-01Z' and started_at < '2026-02-01Z'"
INDEX = "usage_logs_org_time"


@pytest.fixture(params=["ada", "ann"])
def conn(everyone: World, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A person, then an analyst; the table is small, so reading all of it has to be ruled out."""
    session = everyone[request.param].conn
    session.execute("set enable_seqscan = off; set enable_bitmapscan = off")
    yield session
    session.execute("reset enable_seqscan; reset enable_bitmapscan")


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


@pytest.mark.parametrize("view", ["usage_logs", "calls"])
def test_a_period_is_found_by_organization_and_time(conn: psycopg.Connection, view: str) -> None:
    found = scans(plan(conn, f"select * from public.{view} where {PERIOD.replace('2026', '2027')}"))
    assert found
    assert [
        cond for cond in found if not ("org_id = " in cond and "started_at >= " in cond and "started_at < " in cond)
    ] == []


@pytest.mark.parametrize("view", ["bookings", "ledger_entries"])
def test_a_period_of_entries_is_found_by_organization_and_time(conn: psycopg.Connection, view: str) -> None:
    found = scans(plan(conn, f"select * from public.{view} where at >= '2027-01-01Z' and at < '2027-02-01Z' and"
                             " entry = 'call'"))  # fmt: skip
    assert found
    assert [cond for cond in found if not ("org_id = " in cond and "started_at >= " in cond)] == []


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
