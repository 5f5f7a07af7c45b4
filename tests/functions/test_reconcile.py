"""app.reconcile: brings the comparison of a period up to date."""

from __future__ import annotations

from datetime import timedelta

from checks import executors
from openai_books import DAY, call, fetch, linked_key, moment, worked_day
from people import People

DAYS = (DAY - timedelta(days=1), DAY + timedelta(days=2))


def reconcile(people: People, who: str = "dev") -> int:
    with people.as_(who):
        return people.one("select app.reconcile(%s, %s) as days", *DAYS)["days"]


def test_days_are_compared_once_and_again_when_something_changed(people: People) -> None:
    key = worked_day(people)["key"]
    assert [reconcile(people), reconcile(people)] == [2, 0]
    call(people, key, moment("09:30:00"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5})
    assert [reconcile(people), reconcile(people)] == [2, 0]  # the day, and the day after it
    fetch(people, {DAY: []})
    assert reconcile(people) == 1


def test_the_end_of_the_period_is_not_in_it(people: People) -> None:
    fetch(people, {DAYS[1]: []})
    assert reconcile(people) == 0


def test_nobody_compares_what_is_not_theirs(people: People) -> None:
    worked_day(people)
    assert reconcile(people, "eve") == 0
    people.sign_up("lone", "lone@nowhere.test")
    assert reconcile(people, "lone") == 0
    assert people.all("select from public.reconciled_days") == []


def test_people_may_run_it(people: People) -> None:
    linked_key(people)
    assert executors(people.conn, "reconcile") == {"authenticated"}
