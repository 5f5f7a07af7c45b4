"""daily_label_entries and hourly_label_entries: labels of settled calls by day or hour, and rows for open calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import strangers_read_nothing
from ledgers import DAY, add_call, add_open_call, added, adjust, sums
from people import People

NAMES = {"day": "daily", "hour": "hourly"}
NEXT = {"day": DAY + timedelta(days=1), "hour": DAY + timedelta(hours=1)}
each_unit = pytest.mark.parametrize("unit", NAMES)
BOTH = {"end_user": "u1", "tags": {"team": "web", "env": "live"}}
LABELS = [("end_user", "u1"), ("tag", "env=live"), ("tag", "team=web"), ("tagged", "")]


def rows(people: People, unit: str, who: str = "dev") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(f"select * from public.{NAMES[unit]}_label_entries order by kind, label, {unit}")


def first(unit: str, at: datetime) -> Any:
    """The day or the hour of a moment that begins an hour."""
    return at if unit == "hour" else at.date()


def labels(people: People, unit: str, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in ("kind", "label", *names)) for row in rows(people, unit)]


@each_unit
def test_a_call_is_in_one_entry_for_its_end_user_for_each_tag_and_for_having_any(people: People, unit: str) -> None:
    for _ in range(2):
        add_call(people, "ada", cost=1, **BOTH)
    add_call(people, "ada", cost=10)
    assert labels(people, unit, "calls", "cost", "tokens_in") == [(*label, 2, 2, 2000) for label in LABELS]
    (row, *_) = rows(people, unit)
    assert (row["org_id"], row[unit]) == (people.orgs["ada"], first(unit, DAY))
    assert (row["project_id"], row["api_key_id"]) == (people.projects["ada"], people.keys["ada"].id)


@each_unit
def test_entries_of_one_kind_add_up_to_the_calls_that_have_it(ledger: People, unit: str) -> None:
    unknown = {"cost": None, "status_code": None}
    for changes in ({}, {"cost": 0, "cost_status": "error", "status_code": 500}, unknown | {"cost_status": "no_usage"},
                    unknown | {"cost_status": "unpriced_model"}):  # fmt: skip
        add_call(ledger, "ada", end_user="u1", tags={"team": "web"}, **changes)
        add_call(ledger, "ada", DAY + timedelta(days=1), end_user="u2", **changes)
    add_open_call(
        ledger, "ada", end_user="u2", tags={"team": "web"}, deadline_at=datetime.now(UTC) - timedelta(hours=1)
    )
    for kind, having in (("end_user", "end_user is not null"), ("tag", "tags <> '{}'"), ("tagged", "tags <> '{}'")):
        found = [row for row in rows(ledger, unit) if row["kind"] == kind]
        assert added(found) == sums(ledger, having), kind


@each_unit
def test_an_open_call_is_in_an_entry_of_its_own_for_each_label(people: People, unit: str) -> None:
    add_open_call(people, "ada", **BOTH)
    add_open_call(people, "ada", deadline_at=datetime.now(UTC) - timedelta(hours=1), **BOTH)
    assert sorted(labels(people, unit, "calls", "in_doubt_calls")) == sorted(
        (*lab, 1, n) for lab in LABELS for n in (0, 1)
    )


@each_unit
def test_a_correction_is_reported_where_it_was_booked_and_known_today_at_its_call(people: People, unit: str) -> None:
    adjust(people, add_call(people, "ada", cost=2, **BOTH), Decimal("0.5"), NEXT[unit])
    found = labels(people, unit, unit, "calls", "cost", "adjustments", "cost_corrected")
    half = Decimal("0.5")
    then, later = (first(unit, DAY), 1, 2, 0, 2 + half), (first(unit, NEXT[unit]), 0, half, half, 0)
    assert found == [(*label, *entry) for label in LABELS for entry in (then, later)]


@each_unit
def test_eve_sees_her_own_and_strangers_none(people: People, unit: str) -> None:
    for name in ("ada", "eve"):
        add_call(people, name, **BOTH)
        add_open_call(people, name, **BOTH)
    view = f"select * from public.{NAMES[unit]}_label_entries"
    assert {row["org_id"] for row in rows(people, unit, "eve")} == {people.orgs["eve"]}
    strangers_read_nothing(people, view)


@each_unit
def test_play_money_is_gone_once_the_books_are_real(people: People, unit: str) -> None:
    add_call(people, "ada", cost=1, **BOTH)
    add_call(people, "ada", cost=7, upstream="openai", **BOTH)
    add_open_call(people, "ada", **BOTH)
    assert {row["cost"] for row in rows(people, unit)} == {1, 0}
    people.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    assert {row["cost"] for row in rows(people, unit)} == {7}
