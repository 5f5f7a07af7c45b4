"""daily_entries and hourly_entries: daily or hourly totals of settled calls, and a row for each open call."""

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


def rows(people: People, unit: str, who: str = "dev") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(f"select * from public.{NAMES[unit]}_entries order by {unit}, calls desc, model")


@each_unit
def test_entries_add_up_to_the_ledger(ledger: People, unit: str) -> None:
    assert added(rows(ledger, unit)) == sums(ledger)
    more = ("tokens_cache_write", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out")
    add_call(ledger, "ada", **dict(zip(more, (1, 2, 3, 4), strict=True)))
    assert [sum(row[name] for row in rows(ledger, unit)) for name in more] == [1, 2, 3, 4]


@each_unit
def test_settled_calls_of_equal_words_are_one_entry_and_words_that_are_not_known_are_null(
    people: People, unit: str
) -> None:
    for _ in range(3):
        add_call(people, "ada", cost=1)
    unknown = dict.fromkeys(("model", "model_requested", "service_tier", "status_code", "cost", "tokens_in"))
    add_call(people, "ada", cost_status="no_usage", **unknown)
    one, other = rows(people, unit)
    assert (one["calls"], one["cost"], one["model"], one["tokens_in"]) == (3, 3, "gpt-4o-mini-2024-07-18", 3000)
    assert (one["org_id"], one["api_key_id"]) == (people.orgs["ada"], people.keys["ada"].id)
    assert one[unit] == (DAY if unit == "hour" else DAY.date())
    assert (other["model"], other["service_tier"], other["status_code"]) == (None, None, None)
    assert (other["calls"], other["no_usage_calls"], other["tokens_in"], other["cost"]) == (1, 1, 0, 0)


@each_unit
def test_every_open_call_is_an_entry_of_its_own_with_nothing_known_but_what_was_asked(
    people: People, unit: str
) -> None:
    add_open_call(people, "ada")
    add_open_call(people, "ada", deadline_at=datetime.now(UTC) - timedelta(hours=1))
    found = rows(people, unit)
    assert sorted(row["in_doubt_calls"] for row in found) == [0, 1]
    for row in found:
        assert (row["calls"], row["cost"], row["cost_status"], row["status_code"]) == (1, 0, None, None)
        assert (row["model"], row["endpoint"], row["service_tier"]) == ("gpt-4o-mini", "/v1/chat/completions", None)
    assert people.all(f"select * from public.{NAMES[unit]}_totals") == []


@each_unit
def test_a_correction_is_reported_where_it_was_booked_and_known_today_at_its_call(people: People, unit: str) -> None:
    adjust(people, add_call(people, "ada", cost=2), Decimal("0.5"), NEXT[unit])
    then, later = rows(people, unit)
    assert (then["calls"], then["cost"], then["adjustments"], then["cost_corrected"]) == (1, 2, 0, Decimal("2.5"))
    assert (later["calls"], later["cost"], later["adjustments"], later["cost_corrected"]) == (
        0, Decimal("0.5"), Decimal("0.5"), 0,
    )  # fmt: skip


@each_unit
def test_eve_sees_her_own_and_strangers_none(ledger: People, unit: str) -> None:
    view = f"select * from public.{NAMES[unit]}_entries"
    assert {row["org_id"] for row in rows(ledger, unit, "eve")} == {ledger.orgs["eve"]}
    strangers_read_nothing(ledger, view)


@each_unit
def test_play_money_is_gone_once_the_books_are_real(ledger: People, unit: str) -> None:
    add_call(ledger, "ada", upstream="openai", cost=7)
    add_open_call(ledger, "ada", upstream="openai")
    assert added(rows(ledger, unit)) == sums(ledger, "upstream = 'sandbox'")
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    assert sorted((row["calls"], row["cost"]) for row in rows(ledger, unit)) == [(1, 0), (1, 7)]
