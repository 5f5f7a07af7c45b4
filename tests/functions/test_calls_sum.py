"""app.calls_sum: the sums of the calls that fit, as they stand above a list of calls."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import DAY, add_call, adjust, sums
from people import People
from test_end_sessions import begin
from totals import EARLY, LATE, entries, fits, many_calls

SUM = "select * from app.calls_sum(%s, %s, %s::jsonb)"
SAME = ("unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls")


def summed(
    people: People, filters: dict[str, Any], since: Any = EARLY, until: Any = LATE, who: str = "ada"
) -> dict[str, Any]:
    with people.as_(who):
        return people.one(SUM, since, until, json.dumps(filters))


def test_it_is_the_sum_of_the_calls_that_fit_to_the_last_digit(people: People) -> None:
    many_calls(people)
    real = entries(people)
    for filters in ({}, {"model": ["gpt-4o-mini"], "status": ["error"]}, {"tag": ["team=web"]},
                    {"end_user": ["u1"], "cost_status": ["in_doubt", "priced"]}):  # fmt: skip
        for since, until in ((EARLY, LATE), (DAY - timedelta(hours=5), DAY + timedelta(days=1))):
            calls = [e for e in real if e.get("calls") and fits(e, filters) and since <= e["at"] < until]
            row = summed(people, filters, since, until)
            assert row["calls"] == len(calls) and row["cost"] == sum(call["cost"] for call in calls), filters
            assert row["tokens"] == sum(call["tokens_in"] + call["tokens_out"] for call in calls)
            assert [row[name] for name in SAME] == [sum(call[name] for call in calls) for name in SAME]


def test_corrections_are_apart_from_what_the_calls_cost(ledger: People) -> None:
    known = add_call(ledger, "ada", cost=Decimal("2.5"))
    before = summed(ledger, {})
    assert before["cost"] == sums(ledger)["cost"]
    adjust(ledger, known, Decimal("-0.125"), DAY)
    after = summed(ledger, {})
    assert (after["cost"], after["adjustments"]) == (before["cost"], Decimal("-0.125"))


def test_calls_of_a_websocket_session_are_added_up_themselves(people: People) -> None:
    session, other = begin(people)["id"], begin(people)["id"]
    add_call(people, "ada", session_id=session, cost=Decimal("0.25"))
    add_call(people, "ada", session_id=session, cost=None, cost_status="no_usage", tokens_out=None)
    add_call(people, "ada", session_id=other)
    add_call(people, "ada")
    row = summed(people, {"session": [str(session)]})
    assert (row["calls"], row["cost"], row["tokens"], row["no_usage_calls"]) == (2, Decimal("0.25"), 2500, 1)
    assert summed(people, {"session": [str(session)], "status": ["error"]})["calls"] == 0
    assert summed(people, {"session": [str(session)]}, who="eve")["calls"] == 0


def test_no_call_is_a_row_of_zeros_and_strangers_see_none(ledger: People) -> None:
    empty = summed(ledger, {"model": ["none"]})
    assert set(empty.values()) == {0}
    assert summed(ledger, {}, who="eve")["calls"] == 2
    with ledger.as_("nobody"):
        ledger.refused("42501", SUM, EARLY, LATE, "{}")
    assert executors(ledger.conn, "calls_sum") == {"authenticated"}
