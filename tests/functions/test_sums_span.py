"""app.sums_span: between which days there is anything to add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from checks import executors
from ledgers import DAY, add_call, add_open_call
from people import People
from spending import days_ago

SPAN = "select * from app.sums_span()"


def span(people: People, who: str = "ada") -> dict[str, Any]:
    with people.as_(who):
        return people.one(SPAN)


def test_it_has_every_call_in_it_and_now(people: People) -> None:
    found = span(people)
    assert found["first"] < datetime.now(UTC) - timedelta(hours=20) and found["until"] > datetime.now(UTC)
    first, last = DAY - timedelta(days=8), DAY + timedelta(days=8)
    add_call(people, "ada", DAY)
    add_open_call(people, "ada", last)
    assert span(people)["until"] > last
    people.conn.execute("select app.ensure_partition(%s)", [days_ago(400).date()])
    add_open_call(people, "ada", days_ago(400))
    assert span(people)["first"] < days_ago(400) < first


def test_eve_does_not_learn_of_it(people: People) -> None:
    before = span(people, "eve")
    add_call(people, "ada", DAY)
    assert span(people, "eve")["until"] - before["until"] < timedelta(days=1)
    assert executors(people.conn, "sums_span") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", SPAN)
