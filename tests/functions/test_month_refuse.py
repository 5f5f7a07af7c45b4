"""app.month_refuse: why a month cannot be closed."""

from __future__ import annotations

import json

from checks import executors
from people import People

READY = {"state": "provisional", "missing": [], "changing": [], "days": 31, "compared": 31, "ledger": 1,
         "unexplained": 0}  # fmt: skip
REFUSE = "select app.month_refuse(%s, 'a note', null, false)"


def closes_in(people: People, days: int) -> str:
    """So many days after the day on which the test's transaction began."""
    return people.one("select (now() at time zone 'utc')::date + %s as day", days)["day"].isoformat()


def test_a_month_that_is_ready_passes(people: People) -> None:
    people.one(REFUSE, json.dumps(READY | {"closes_on": closes_in(people, 0)}))


def test_a_month_whose_last_day_is_younger_than_three_days_waits(people: People) -> None:
    tomorrow = closes_in(people, 1)
    diag = people.refused("PT409", REFUSE, json.dumps(READY | {"closes_on": tomorrow})).diag
    assert diag.message_detail == "month_young"
    assert tomorrow in diag.message_primary


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "month_refuse") == set()
