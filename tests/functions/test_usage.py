"""app.usage: spend of a period, grouped."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from checks import executors
from ledgers import DAY, add_call, added, sums
from people import People

USAGE = "select * from app.usage(%s, %s, %s, %s::jsonb, 'UTC')"
ALL = (DAY - timedelta(days=3), DAY + timedelta(days=3))
WORDS = ("day", "project", "model", "key", "endpoint", "service_tier", "status", "end_user")
COLUMN = {"project": "project_id", "key": "key_id"}


def usage(people: People, *groups: str, who: str = "ada", **filters: list[str]) -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(USAGE, *ALL, list(groups), json.dumps(filters))


@pytest.mark.parametrize("groups", [(), *[(word,) for word in WORDS], WORDS, ("day", "project"), ("key", "model")])
def test_however_grouped_the_sum_is_the_ledgers_to_the_last_digit(ledger: People, groups: tuple[str, ...]) -> None:
    rows = usage(ledger, *groups)
    assert added(rows) == sums(ledger)
    keys = [tuple(row[COLUMN.get(word, word)] for word in groups) for row in rows]
    assert len(set(keys)) == len(keys)
    for word in set(WORDS) - set(groups):
        assert {row[COLUMN.get(word, word)] for row in rows} == {None}


def test_groups_carry_names_for_people(ledger: People) -> None:
    assert {(row["project"], row["key"]) for row in usage(ledger, "project", "key")} == {
        ("chat", "main"),
        ("search", "main"),
    }
    assert {row["key_prefix"] for row in usage(ledger, "key")} == {ledger.keys["ada"].prefix}


def test_it_agrees_with_the_views_day_by_day(ledger: People) -> None:
    rows = {row["day"]: (row["calls"], row["cost"]) for row in usage(ledger, "day")}
    with ledger.as_("ada"):
        views = {row["day"]: (row["calls"], row["cost"]) for row in ledger.all("select * from public.spend_daily")}
    assert rows == views


def test_a_call_counts_in_each_of_its_tags_and_one_without_in_none(people: People) -> None:
    add_call(people, "ada", cost=1, tags={"team": "search", "env": "prod"})
    add_call(people, "ada", cost=2, tags={"team": "search"})
    add_call(people, "ada", cost=4)
    rows = {row["tag"]: (row["calls"], row["cost"]) for row in usage(people, "tag")}
    assert rows == {"team=search": (2, 3), "env=prod": (1, 1), None: (1, 4)}


def test_filters_and_organizations_hold(ledger: People) -> None:
    project = str(ledger.projects["ada"])
    assert added(usage(ledger, "day", project=[project])) == sums(ledger, "project_id = %s", project)
    assert usage(ledger, "day", who="eve", project=[project]) == []
    assert added(usage(ledger, "day", who="eve"))["cost"] == 2000
    assert usage(ledger, "project", project=[str(ledger.projects["eve"])]) == []


def test_an_empty_period_is_no_row(ledger: People) -> None:
    with ledger.as_("ada"):
        assert ledger.all(USAGE, DAY - timedelta(days=9), DAY - timedelta(days=8), ["day"], "{}") == []


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_a_day_is_utc_whatever_the_sessions_time_zone(people: People, zone: str) -> None:
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    for at in (midnight - timedelta(microseconds=1), midnight):
        add_call(people, "ada", at)
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    assert [row["day"] for row in usage(people, "day")] == [
        DAY.date() - timedelta(days=1),
        date(DAY.year, DAY.month, DAY.day),
    ]


def test_a_period_is_read_by_an_index_with_the_rights_of_a_person(ledger: People) -> None:
    add = (
        "insert into public.usage_logs select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*"
    )
    ledger.conn.execute(f"{add} from public.usage_logs u, generate_series(1, 300)")
    ledger.conn.execute("analyze public.usage_logs")
    scans = (
        "select sum(seq_scan) as seq, sum(idx_scan) as idx from pg_stat_xact_user_tables where relname ~ '^usage_logs_'"
    )
    before = ledger.one(scans)
    with ledger.as_("ada"):
        assert ledger.all(USAGE, DAY + timedelta(hours=12), DAY + timedelta(hours=13), ["day"], "{}") == []
    after = ledger.one(scans)
    assert after["seq"] == before["seq"] and after["idx"] > before["idx"]


def test_only_people_may_run_it(db: psycopg.Connection, people: People) -> None:
    assert executors(db, "usage") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", USAGE, *ALL, [], "{}")
