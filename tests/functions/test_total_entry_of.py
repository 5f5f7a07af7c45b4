"""app.total_entry_of: what one call adds to the totals of its day and of its hour."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from ledgers import add_call
from people import People
from psycopg.types.json import Json
from totals import MIDNIGHT

ENTRY = "select e.* from public.usage_logs u, app.total_entry_of(u, %s) e where u.id = %s"
TOKENS = ("tokens_in", "tokens_cached", "tokens_cache_write", "tokens_out", "tokens_reasoning", "tokens_audio_in",
          "tokens_audio_out")  # fmt: skip
LINES = Json([{"dimension": "web_search_calls", "quantity": 1, "cost": 0.000000000001}])
FULL = dict(zip(TOKENS, (100, 10, 11, 50, 5, 6, 7), strict=True))


def entry(people: People, calls: int = 1, **changes: Any) -> dict[str, Any]:
    return people.one(ENTRY, calls, add_call(people, "ada", **changes))


def test_every_number_of_a_call_is_in_its_entry_and_comes_out_again_with_minus_one(people: People) -> None:
    call = add_call(people, "ada", cost=Decimal("0.000000000001"), cost_lines=LINES, **FULL)
    plus, minus, place = (people.one(ENTRY, calls, call) for calls in (1, -1, 0))
    numbers = FULL | {"calls": 1, "cost": Decimal("0.000000000001"), "cost_tools": Decimal("0.000000000001")}
    for name, number in numbers.items():
        assert (plus[name], minus[name], place[name]) == (number, -number, 0), name
    words = set(plus) - set(numbers)
    assert {name: plus[name] for name in words} == {name: minus[name] for name in words}
    assert (plus["adjustment"], plus["correction"]) == (0, 0)
    assert {name for name, number in plus.items() if name.startswith("cost_") and number == 0} == {
        f"cost_{kind}" for kind in ("input", "cached", "cache_write", "output", "reasoning", "audio", "image", "region")
    }


def test_words_that_are_not_known_are_empty_and_numbers_add_nothing(people: People) -> None:
    unknown = dict.fromkeys(("model", "model_requested", "service_tier", "status_code", "tokens_in", "tokens_out",
                             "tokens_cached", "cost"))  # fmt: skip
    found = entry(people, cost_status="no_usage", **unknown)
    assert (found["model"], found["service_tier"], found["status_code"]) == ("", "", 0)
    assert (found["tokens_in"], found["cost"], found["calls"]) == (0, 0, 1)


def test_the_model_is_the_one_that_served_else_the_one_asked_for(people: People) -> None:
    assert entry(people, model="gpt-5-2025-08-07", model_requested="gpt-5")["model"] == "gpt-5-2025-08-07"
    assert entry(people, model=None, model_requested="gpt-5")["model"] == "gpt-5"


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_day_and_hour_are_those_of_utc_whatever_the_sessions_time_zone(people: People, zone: str) -> None:
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    for microseconds, day, hour in ((-1, -1, 23), (0, 0, 0), (3_600_000_000, 0, 1), (86_400_000_000 - 1, 0, 23)):
        found = entry(people, started_at=MIDNIGHT + timedelta(microseconds=microseconds))
        assert found["day"] == (MIDNIGHT + timedelta(days=day)).date()
        assert found["hour"] == MIDNIGHT + timedelta(days=day, hours=hour)


def test_only_the_triggers_may_run_it(people: People) -> None:
    assert executors(people.conn, "total_entry_of") == set()
