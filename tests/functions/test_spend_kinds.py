"""app.spend_kinds: what dollars were paid for, from totals and from the calls alike."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import adjust
from people import People
from spending import days_ago, spent

KINDS = "select * from app.spend_kinds(%s, %s, 'UTC', %s, %s::jsonb)"
USAGE = {
    "prompt_tokens": 5000, "completion_tokens": 900, "prompt_tokens_details": {"cached_tokens": 4000},
    "completion_tokens_details": {"reasoning_tokens": 800},
}  # fmt: skip


def kinds(
    people: People, grain: str | None = None, who: str = "ada", hours: float = 0, **filters: Any
) -> dict[Any, Any]:
    since, until = (days_ago(n).replace(hour=0, minute=0, second=0, microsecond=0) for n in (5, -1))
    with people.as_(who):
        rows = people.all(KINDS, since + timedelta(hours=hours), until, grain, json.dumps(filters))
    return {(row["bar"], row["kind"]) if grain else row["kind"]: row["cost"] for row in rows}


def test_kinds_and_the_rest_add_up_to_the_cost_from_totals_and_from_calls(people: People) -> None:
    call = spent(people, at=days_ago(2), model="o3-mini", usage=USAGE, end_user="u1", tags={"team": "web"})
    spent(people, at=days_ago(3), usage=USAGE, end_user="u1", tags={"team": "web"})
    adjust(people, call, Decimal("0.125"), days_ago(1))
    found = kinds(people)
    assert found.keys() == {"input", "cached", "output", "reasoning", "other"} and found["other"] == Decimal("0.125")
    with people.as_("ada"):
        whole = people.one(
            "select cost from app.sums(%s, %s, '{}', '{}', 'UTC', null, null)", days_ago(9), days_ago(-1)
        )["cost"]
    assert sum(found.values()) == whole
    for filters in ({"end_user": ["u1"]}, {"tag": ["team", "x"]}, {"model": ["gpt-4o-mini", "o3-mini"]}):
        assert kinds(people, **filters) == kinds(people, hours=1, **filters) == found
    by_day: dict[str, Decimal] = defaultdict(Decimal)
    for (_, kind), cost in kinds(people, "day").items():
        by_day[kind] += cost
    assert by_day == found


def test_by_kind_is_a_breakdown_of_its_own(people: People) -> None:
    spent(people, at=days_ago(2), usage=USAGE)
    spent(people, at=days_ago(9), usage=USAGE | {"completion_tokens": 1900})
    query = "select * from app.spend_report(%s, %s, %s, %s, 'UTC', 'day', 'kind', null, 'key', '{}', 6)"
    with people.as_("ada"):
        found = people.one(query, days_ago(7), days_ago(0), days_ago(14), days_ago(7))
    rows = {row["id"]: row for row in found["rows"]}
    assert rows.keys() == {"input", "cached", "output", "reasoning"}
    assert sum(row["cost"] for row in rows.values()) == found["totals"]["cost"] > 0
    assert rows["output"]["change"] == -1000 * Decimal("0.0000006") and rows["output"]["calls"] is None
    assert sum(row["cost_before"] for row in rows.values()) == found["totals"]["cost_before"] > 0
    assert sum(bar["cost"] for bar in found["bars"] if bar["series"]) == found["totals"]["cost"]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people, usage=USAGE)
    assert kinds(people, who="eve") == {} != kinds(people, who="dev")
    with people.as_("nobody"):
        people.refused("42501", KINDS, days_ago(1), days_ago(0), None, "{}")
    assert executors(people.conn, "spend_kinds") == {"authenticated"}
