"""app.totals_differences: days whose totals, or those of their hours, are not the sums of their calls."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from ledgers import DAY, add_call, add_open_call, adjust
from people import People
from totals import MIDNIGHT, Busy, differences

NEXT_DAY = DAY + timedelta(days=1)
KINDS = ("input", "cached", "cache_write", "output", "reasoning", "audio", "image", "tools", "region")
TOTALS = ("calls", "tokens_in", "tokens_cached", "tokens_cache_write", "tokens_out", "tokens_reasoning",
          "tokens_audio_in", "tokens_audio_out", "cost", "adjustments", "corrections",
          *(f"cost_{kind}" for kind in KINDS))  # fmt: skip
LABELS = ("calls", "tokens_in", "tokens_cached", "tokens_out", "cost", "unpriced_calls", "no_usage_calls",
          "error_calls", "adjustments", "corrections")  # fmt: skip


@pytest.fixture
def right(people: People) -> People:
    """Two calls of one day, one of them labelled and corrected on the next day."""
    adjust(people, add_call(people, "ada", end_user="u1", tags={"team": "web"}), 1, NEXT_DAY)
    add_call(people, "ada", model="gpt-5")
    assert differences(people) == []
    return people


def found(people: People) -> list[tuple[Any, ...]]:
    return [(row["day"], row["part"], row["calls"], row["cost"]) for row in differences(people)]


def test_nothing_differs_among_calls_of_every_kind(busy: Busy) -> None:
    people, _, _ = busy
    add_open_call(people, "ada", end_user="u1", tags={"team": "web"})
    assert differences(people) == []


@pytest.mark.parametrize("column", TOTALS)
def test_a_sum_of_all_calls_that_was_changed_is_found_whatever_it_sums(right: People, column: str) -> None:
    for table, wrong in (("daily_totals", ["all"]), ("hourly_totals", ["all", "all by hour"])):
        right.conn.execute(f"update public.{table} set {column} = {column} + 1 where model = 'gpt-5'")
        rows = found(right)
        assert [(day, part) for day, part, _, _ in rows] == [(DAY.date(), part) for part in wrong]
        sums = (int(column == "calls"), int(column in ("cost", "adjustments")))
        assert {(calls, cost) for _, _, calls, cost in rows} == {sums}


@pytest.mark.parametrize("kind", ["end_user", "tag", "tagged"])
@pytest.mark.parametrize("column", LABELS)
def test_a_sum_of_a_label_that_was_changed_is_found_whatever_it_sums(right: People, kind: str, column: str) -> None:
    for table, where, wrong in (
        ("daily", "day = %s", [kind]),
        ("hourly", "hour::date = %s", [kind, f"{kind} by hour"]),
    ):
        query = f"update public.{table}_labels set {column} = {column} + 1 where kind = %s and {where}"
        assert right.conn.execute(query, [kind, DAY.date()]).rowcount == 1
        assert [row[:3] for row in found(right)] == [(DAY.date(), part, int(column == "calls")) for part in wrong]


def test_a_sum_that_is_missing_is_found(right: People) -> None:
    right.conn.execute("delete from public.daily_totals where model = 'gpt-5'")
    right.conn.execute("delete from public.daily_labels where kind = 'tag' and day = %s", [DAY.date()])
    right.conn.execute("delete from public.hourly_labels where kind = 'tagged' and hour = %s", [DAY])
    cost = Decimal("0.000450000001")
    assert found(right) == [(DAY.date(), part, 1, cost) for part in ("all", "tag", "tagged by hour")]


def test_a_sum_in_the_wrong_hour_of_its_day_is_found(right: People) -> None:
    right.conn.execute("update public.hourly_totals set hour = hour + interval '1 hour' where model = 'gpt-5'")
    assert found(right) == [(DAY.date(), "all by hour", 2, 2 * Decimal("0.000450000001"))]


def test_a_sum_too_many_is_found(right: People) -> None:
    for table, word in (("daily_totals", "model"), ("daily_labels", "label")):
        right.conn.execute(
            f"insert into public.{table} select (jsonb_populate_record(t, %s::jsonb)).* from public.{table} t"
            " where calls = 1 limit 1",
            [f'{{"{word}": "no such", "day": "2026-01-31"}}'],
        )
    assert {(day, calls) for day, _, calls, _ in found(right)} == {(date(2026, 1, 31), 1)}
    assert len(found(right)) == 2


@pytest.mark.parametrize("word", ["model", "endpoint", "service_tier", "cost_status"])
def test_a_sum_in_the_wrong_place_is_found_though_all_together_are_right(right: People, word: str) -> None:
    right.conn.execute(f"update public.daily_totals set {word} = 'elsewhere' where model = 'gpt-5'")
    assert found(right) == [(DAY.date(), "all", 2, 2 * Decimal("0.000450000001"))]


def test_two_mistakes_that_cancel_each_other_out_are_found(right: People) -> None:
    right.conn.execute("update public.daily_totals set cost = cost + 1 where model = 'gpt-5'")
    right.conn.execute("update public.daily_totals set cost = cost - 1 where model <> 'gpt-5' and calls = 1")
    assert found(right) == [(DAY.date(), "all", 0, 2)]


def test_a_call_written_behind_the_triggers_back_is_found(right: People) -> None:
    # Changing a partition directly does not fire the triggers of usage_logs.
    partition = DAY.strftime("private.usage_logs_%Y_%m")
    right.conn.execute(
        f"insert into {partition} select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*"
        " from public.usage_logs u where model = 'gpt-5'"
    )
    assert found(right) == [(DAY.date(), part, 1, Decimal("0.000450000001")) for part in ("all", "all by hour")]


def test_slots_do_not_matter(right: People) -> None:
    right.conn.execute("update public.daily_totals set slot = slot + 1")
    right.conn.execute("update public.daily_labels set slot = slot - 1")
    right.conn.execute("update public.hourly_totals set slot = slot + 1")
    assert found(right) == []


def test_it_says_whose_day_it_is_and_looks_at_no_earlier_day(right: People) -> None:
    for days in (-2, -1):
        add_call(right, "eve", DAY + timedelta(days=days))
    right.conn.execute("update public.daily_totals set calls = 5 where org_id = %s", [right.orgs["eve"]])
    query = "select * from app.totals_differences(%s)"
    for since, days in ((-3, [-2, -1]), (-2, [-2, -1]), (-1, [-1]), (0, [])):
        rows = right.all(query, (MIDNIGHT + timedelta(days=since)).date())
        assert [row["day"] for row in rows] == [(MIDNIGHT + timedelta(days=n)).date() for n in days]
        assert {row["org_id"] for row in rows} <= {right.orgs["eve"]}


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_days_are_those_of_utc_whatever_the_sessions_time_zone(people: People, zone: str) -> None:
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    for microseconds in (-1, 0, 86_400_000_000 - 1):
        at = MIDNIGHT + timedelta(microseconds=microseconds)
        adjust(people, add_call(people, "ada", at), 1, at)
    for day in (MIDNIGHT - timedelta(days=1), MIDNIGHT):
        assert people.all("select * from app.totals_differences(%s)", day.date()) == []


def test_days_of_a_dropped_month_are_left_out(right: People) -> None:
    for table in ("daily_totals", "hourly_totals"):
        right.conn.execute(f"update public.{table} set calls = calls + 1, adjustments = adjustments + 1")
    right.conn.execute(
        "insert into private.dropped_months (month, calls, reason) values (%s, 1, 'a test')", [DAY.replace(day=1)]
    )
    assert found(right) == []


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_differences") == set()
