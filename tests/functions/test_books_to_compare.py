"""app.books_to_compare: days of OpenAI's books whose comparison is not up to date."""

from __future__ import annotations

from datetime import date, timedelta

from checks import executors
from openai_books import DAY, call, fetch, moment, worked_day
from people import People

DAYS = (DAY - timedelta(days=1), DAY + timedelta(days=2))


def to_compare(people: People, who: str = "dev") -> list[date]:
    with people.as_(who):
        return [row["day"] for row in people.all("select day from app.books_to_compare(%s, %s) day", *DAYS)]


def test_days_are_named_until_they_are_compared_and_again_when_something_changed(people: People) -> None:
    key = worked_day(people)["key"]
    fetch(people, {DAYS[1]: []})  # the end of the period is not in it
    found = to_compare(people)
    assert found[0] == DAY and found == sorted(found) and found[-1] < DAYS[1]
    with people.as_("dev"):
        people.one("select app.reconcile(%s, %s)", *DAYS)
    assert to_compare(people) == []
    call(people, key, moment("09:30:00"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5})
    assert DAY in to_compare(people)
    assert to_compare(people, "eve") == []


def test_what_was_compared_of_a_month_that_was_dropped_stays(people: People) -> None:
    worked_day(people)
    people.conn.execute(
        "insert into private.dropped_months (month, calls, reason) values (%s, 1, 'old')", [DAY.replace(day=1)]
    )
    assert to_compare(people) == []


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "books_to_compare") == {"authenticated"}
