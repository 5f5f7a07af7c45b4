"""Under row level security, who reads is asked once per query, and the index of organization and time is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
def all_filled(stack_dsns: Callable[[str], tuple[str, str]]) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """Ten organizations with calls: owner's and superuser's DSN, ids of two organizations and of a person in each."""
    owner, admin = stack_dsns("spendai_plans")
    return owner, admin, {name: (str(org), str(user)) for name, (org, user) in fill(admin, 5000, START).items()}


@pytest.fixture(scope="module")
def filled(all_filled: tuple[str, str, dict[str, tuple[str, str]]]) -> tuple[str, str, str, str]:
    """Owner's and superuser's DSN, ids of the organization with few calls and of a person in it."""
    owner, admin, ids = all_filled
    return owner, admin, *ids["small"]


@contextmanager
def a_person(filled: tuple[str, str, str, str]) -> Iterator[psycopg.Connection]:
    """A session of a person, without sequential scans, which Postgres prefers for a table this small."""
    _, admin, _, user = filled
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as session:
        session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": user})])
        session.execute("set role authenticated; set enable_seqscan = off; set enable_bitmapscan = off")
        yield session


@contextmanager
def an_analyst(filled: tuple[str, str, str, str]) -> Iterator[psycopg.Connection]:
    owner, _, org, _ = filled
    with psycopg.connect(new_analyst(owner, org), autocommit=True, row_factory=dict_row) as session:
        session.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        yield session


@pytest.fixture(params=[a_person, an_analyst])
def conn(filled: tuple[str, str, str, str], request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A session of a person, and one of an analyst."""
    with request.param(filled) as session:
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


PAGES = (
    "app.calls_page('-infinity', 'infinity', '{}', null, null, 51)",
    """app.calls_page('-infinity', 'infinity', '{"model": ["gpt-4o-mini-2024-07-18"]}', null, null, 51)""",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_its_own_calls_also_when_its_session_asks_for_the_first_time(
    all_filled: tuple[str, str, dict[str, tuple[str, str]]], page: str
) -> None:
    """A session's first plans are made for the very values and may differ from those of a session that asked often."""
    _, admin, ids = all_filled
    with psycopg.connect(admin) as session:
        session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": ids["large"][1]})])
        session.execute("set role authenticated")
        found = session.execute(f"select id from {page}").fetchall()
        (read,) = session.execute(
            "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname like %s",
            ["usage_logs%"],
        ).fetchone()
    assert len(found) == 51
    assert read <= 4 * 51  # of 1,500


TOUCHED = """
select c.oid::regclass::text as name, c.relkind, coalesce((
    with recursive above as (
        select c.oid union all select i.inhparent from pg_inherits i join above on i.inhrelid = above.oid
    ) select max(oid::regclass::text) from above where oid::regclass::text like '%usage_logs\\_open'), '') as of
from pg_class c
where c.relkind in ('r', 'i') and pg_stat_get_xact_numscans(c.oid) > 0
  and (c.relnamespace = 'private'::regnamespace and c.relname like 'usage\\_logs%' or c.relname like 'daily\\_%')
order by 1
"""
KEPT = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")
SUMS = "select sum(calls) as calls from app.sums({}, {}, '{{{}}}', '{}', 'UTC', null, null)"


def touched(conn: psycopg.Connection, query: str) -> tuple[int, set[str], set[str]]:
    """How many calls a question finds, and which indexes it reads: of daily totals and labels, and of calls.

    usage_logs_open stands for those of its parts; a table stands there when it was read whole.
    """
    with conn.transaction():
        calls = conn.execute(query).fetchone()["calls"]
        found = conn.execute(TOUCHED).fetchall()
    kept = {row["name"] for row in found if row["name"].startswith("daily_")}
    return calls, kept, {row["of"] or row["name"] for row in found} - kept


def days_are_read_from_what_is_kept(conn: psycopg.Connection, query: str, *primary_keys: str) -> None:
    calls, kept, of_calls = touched(conn, query)
    assert calls > 0
    assert kept == set(primary_keys)
    assert {name.rpartition(".")[2] for name in of_calls} <= {"usage_logs_open"}


@pytest.mark.parametrize("view", KEPT)
def test_a_question_over_days_reads_the_sums_kept_of_them_and_of_the_calls_only_those_open(
    conn: psycopg.Connection, view: str
) -> None:
    keys = {"spend_by_tag": ("daily_labels_pkey",), "spend_by_end_user": ("daily_labels_pkey", "daily_totals_pkey")}
    query = f"select sum(calls) as calls from public.{view} where day >= {PERIOD[0]} and day < {PERIOD[1]}"
    days_are_read_from_what_is_kept(conn, query, *keys.get(view, ("daily_totals_pkey",)))


@pytest.mark.parametrize("entries", ["daily_entries", "hourly_entries", "daily_label_entries", "hourly_label_entries"])
def test_a_sum_computes_only_what_it_adds_up_and_looks_up_the_books_once(
    conn: psycopg.Connection, entries: str
) -> None:
    query = f"select sum(calls) as calls from public.{entries}"
    assert "corrections" in str(plan(conn, query.replace("calls)", "cost_corrected)")))
    assert "corrections)" not in str(plan(conn, query))  # of cost_corrected
    analyzed = conn.execute(f"explain (analyze, format json) {query}").fetchone()
    loops = [node["Actual Loops"] for node in nodes(analyzed) if node.get("Relation Name") == "organizations"]
    assert loops and max(loops) == 1


@pytest.mark.parametrize(("words", "filters", "keys"), [
    ("", "{}", ("daily_totals_pkey",)),
    ("day,project,key,model,endpoint,service_tier,status", "{}", ("daily_totals_pkey",)),
    ("day", '{"model": ["gpt-4o-mini-2024-07-18"], "status": ["200"]}', ("daily_totals_pkey",)),
    ("day,end_user", "{}", ("daily_labels_pkey", "daily_totals_pkey")),
    ("tag,project", "{}", ("daily_labels_pkey", "daily_totals_pkey")),
    ("day", '{"end_user": ["u1"]}', ("daily_labels_pkey", "daily_totals_pkey")),  # for its first and its last day
    ("key", '{"tag": ["team"]}', ("daily_labels_pkey",)),
])  # fmt: skip
def test_sums_of_whole_days_read_what_is_kept_of_them_and_of_the_calls_only_those_open(
    filled: tuple[str, str, str, str], words: str, filters: str, keys: tuple[str, ...]
) -> None:
    with a_person(filled) as conn:
        days_are_read_from_what_is_kept(conn, SUMS.format(*PERIOD, words, filters), *keys)


def test_the_test_would_notice_if_calls_were_added_up(filled: tuple[str, str, str, str]) -> None:
    part = f"'{START + timedelta(days=1, hours=7, minutes=30):%FT%T}Z'"
    with a_person(filled) as conn:
        _, kept, of_calls = touched(conn, SUMS.format(PERIOD[0], part, "day", "{}"))
    assert kept == {"daily_totals_pkey"}
    assert not {name.rpartition(".")[2] for name in of_calls} <= {"usage_logs_open"}


@pytest.mark.parametrize("table", [
    "usage_logs", "projects", "organizations", "cost_adjustments", "cost_fills", "daily_totals", "daily_labels",
])  # fmt: skip
def test_who_reads_is_asked_once_and_not_per_row(conn: psycopg.Connection, table: str) -> None:
    for node in plan(conn, f"select org_id from (select t.*, t as x from public.{table} t) t"
                     if table != "organizations" else "select id from public.organizations"):  # fmt: skip
        conditions = json.dumps([node.get(key, "") for key in ("Filter", "Index Cond", "Recheck Cond")])
        assert "_org_id()" not in conditions
