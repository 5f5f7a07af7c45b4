"""app.month_report_of: spend of a month by project, key, model, tag and person."""

from __future__ import annotations

import json
from decimal import Decimal as D

from checks import executors
from closes import MILLION, MONTH, month, state
from openai_books import call, moment
from people import People


def report(people: People):
    return people.one("select app.month_report_of(%s, %s) as r", people.orgs["ada"], MONTH)["r"]


def test_each_breakdown_but_tags_adds_up_to_the_ledger(people: People) -> None:
    made = month(people, tags=json.dumps({"team": "blue"}))
    call(
        people,
        None,
        moment("10:00:00"),
        "gpt-4o-mini-2024-07-18",
        MILLION,
        tags=json.dumps({"team": "red", "app": "x"}),
    )
    call(people, None, moment("11:00:00"), "no-such-model", MILLION)
    people.conn.execute(
        "insert into public.cost_adjustments (call_id, call_started_at, org_id, delta, reason)"
        " select id, started_at, org_id, -0.05, 'too much' from public.usage_logs where id = %s", [made],
    )  # fmt: skip
    ledger = state(people)["ledger"]
    assert ledger == D("0.25")
    found = report(people)
    for by in ("total", "project", "key", "model", "person"):
        assert sum(D(row["cost"]) for row in found[by]) == ledger
        assert sum(row["calls"] for row in found[by]) == 3
        assert sum(row["unpriced_calls"] for row in found[by]) == 1
        assert sum(D(row["corrections"]) for row in found[by]) == D("-0.05")
    assert {row["name"]: row["cost"] for row in found["tag"]} == {
        "team=blue": "0.1",
        "team=red": "0.15",
        "app=x": "0.15",
    }
    assert [row["name"] for row in found["person"]] == ["ada@acme.test"]


def test_a_month_without_calls_has_empty_breakdowns(people: People) -> None:
    assert report(people) == {"total": [], "project": [], "key": [], "model": [], "tag": [], "person": []}
    assert executors(people.conn, "month_report_of") == set()
