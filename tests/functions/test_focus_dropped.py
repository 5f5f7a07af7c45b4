"""app.focus_dropped: a month keeps the corrections that were booked in it when their calls are dropped."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from checks import executors
from ledgers import add_call, adjust
from months import ago, ensure, take_out
from people import People

OLD = ago(3) + timedelta(days=10, hours=12)
FIRST, SECOND = ago(3).date(), ago(2).date()


@pytest.fixture
def corrected(people: People) -> People:
    """A call of an old month, corrected in it and in the next one; a call of that month, corrected too."""
    ensure(people, 2, 3)
    old, new = (add_call(people, "ada", at, cost=1) for at in (OLD, ago(2)))
    adjust(people, old, D("-0.125"), OLD + timedelta(hours=1))
    adjust(people, old, D("-0.25"), ago(2))
    adjust(people, new, D("0.5"), ago(2) + timedelta(hours=1))
    live = add_call(people, "ada", OLD + timedelta(hours=3), upstream="openai")
    adjust(people, live, D(1000), ago(2))  # of the books that are not shown
    adjust(people, add_call(people, "eve", OLD), D(1000), ago(2))
    return people


def drop(people: People) -> None:
    take_out(people, 3)
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [FIRST])


def found(people: People, month: date = SECOND) -> list[tuple[date, D]]:
    rows = people.all("select * from app.focus_dropped(%s, %s)", people.orgs["ada"], month)
    return [(row["day"], row["delta"]) for row in rows]


def billed(people: People) -> D:
    rows = people.all("select billed from app.focus_charges(%s, %s)", people.orgs["ada"], SECOND)
    return sum((row["billed"] for row in rows), D(0))


def test_the_charges_of_a_month_stay_when_the_calls_that_it_corrected_are_dropped(corrected: People) -> None:
    assert found(corrected) == []
    before = billed(corrected)
    drop(corrected)
    assert found(corrected) == [(OLD.date(), D("-0.25"))]
    with corrected.as_("ada"):
        reported = corrected.one("select sum(cost) as cost from public.spend_daily where day >= %s", SECOND)["cost"]
    assert billed(corrected) == before == reported == D("1.25")


def test_corrections_of_a_closed_month_are_not_charged_again(corrected: People) -> None:
    drop(corrected)
    for status, number in (("closed", 0), ("reopened", 1)):
        corrected.conn.execute(
            "insert into public.month_closes (org_id, month, status, note, openai, ledger, unexplained, named, report,"
            " fetch_ids, sha256) values (%s, %s, %s, 'x', 0, 0, 0, '{}', '{}', '{}', 'x')",
            [corrected.orgs["ada"], FIRST, status],
        )
        assert len(found(corrected)) == number


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "focus_dropped") == set()
