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
from test_labels_beyond import FULL
from totals import EARLY, LATE, Busy, fits

SUM = "select * from app.calls_sum(%s, %s, %s::jsonb, null)"
LIMITED = "select * from app.calls_sum(%s, %s, %s::jsonb, %s)"
SAME = ("unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls")


def summed(
    people: People, filters: dict[str, Any], since: Any = EARLY, until: Any = LATE, who: str = "ada"
) -> dict[str, Any]:
    with people.as_(who):
        return people.one(SUM, since, until, json.dumps(filters))


def test_it_is_the_sum_of_the_calls_that_fit_to_the_last_digit(busy: Busy) -> None:
    people, _, real = busy
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


def test_of_more_calls_than_may_be_read_there_is_no_sum(busy: Busy) -> None:
    people, _, _ = busy
    both, whole = json.dumps({"end_user": ["u1"], "model": ["gpt-4o-mini"]}), json.dumps({"model": ["gpt-4o-mini"]})
    with people.as_("ada"):
        reads = people.one(SUM, EARLY, LATE, whole)["calls"]
        known, refused = (people.one(LIMITED, EARLY, LATE, both, most) for most in (reads, reads - 1))
        from_totals = people.one(LIMITED, EARLY, LATE, whole, 0)
    assert 0 < known["calls"] < reads == from_totals["calls"]
    assert set(refused.values()) == {None}


def test_labels_that_a_day_counts_as_other_are_added_up_from_the_calls(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    add_call(people, "ada", DAY, end_user="u1", tags={"run": "a", "team": "web"}, cost=Decimal("0.5"))
    add_call(people, "ada", DAY, end_user="u2", tags={"run": "b"}, cost=Decimal("0.25"))
    add_call(people, "ada", DAY + timedelta(days=1), end_user="u2", tags={"run": "b"}, cost=Decimal("0.125"))
    for filters, calls, cost in (
        ({"end_user": ["u1"]}, 1, "0.5"), ({"end_user": ["u2"]}, 2, "0.375"), ({"not_end_user": ["u1"]}, 2, "0.375"),
        ({"tag": ["run=a"]}, 1, "0.5"), ({"tag": ["team"]}, 1, "0.5"), ({"not_tag": ["run=a"]}, 2, "0.375"),
        ({"end_user": ["(other)"]}, 0, "0"),
    ):  # fmt: skip
        row = summed(people, filters)
        assert (row["calls"], row["cost"]) == (calls, Decimal(cost)), filters


def test_no_call_is_a_row_of_zeros_and_strangers_see_none(ledger: People) -> None:
    empty = summed(ledger, {"model": ["none"]})
    assert set(empty.values()) == {0}
    assert summed(ledger, {}, who="eve")["calls"] == 2
    with ledger.as_("nobody"):
        ledger.refused("42501", SUM, EARLY, LATE, "{}")
    assert executors(ledger.conn, "calls_sum") == {"authenticated"}
