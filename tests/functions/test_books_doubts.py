"""app.books_doubts: days whose minutes at OpenAI may prove what a call used."""

from __future__ import annotations

from datetime import timedelta

from checks import executors
from openai_books import DAY, call, doubtful, linked_key, moment
from people import People

DOUBTS = "select day from app.books_doubts(%s, %s, %s)"
TOMORROW = DAY + timedelta(days=1)


def days(people: People, who: str = "ada", of: str = "ada", until: int = 3) -> list:
    with people.as_(who):
        rows = people.all(DOUBTS, people.orgs[of], DAY, DAY + timedelta(days=until))
    return [row["day"] for row in rows]


def test_a_call_in_doubt_and_one_without_usage_name_the_days_they_were_under_way(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("09:00:00"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5})
    assert days(people) == []
    doubtful(people, key, moment("23:59:00"), "gpt-4o-mini")
    assert days(people) == [DAY, TOMORROW]
    assert days(people, until=1) == [DAY]
    late = DAY + timedelta(days=2)
    call(people, key, moment("12:00:00", late), "gpt-4o-mini", None, cost=None, cost_status="no_usage")
    assert days(people) == [DAY, TOMORROW, late]


def test_a_call_of_the_day_before_that_was_still_under_way_counts(people: People) -> None:
    doubtful(people, linked_key(people), moment("23:59:00", DAY - timedelta(days=1)), "gpt-4o-mini")
    assert days(people) == [DAY]


def test_sandbox_calls_do_not_count_and_eve_learns_nothing_of_acme(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("12:00:00"), "gpt-4o-mini", None, cost=None, cost_status="no_usage", upstream="sandbox")
    assert days(people) == []
    doubtful(people, key, moment("12:00:00"), "gpt-4o-mini")
    assert days(people, "dev") == [DAY]
    assert days(people, "eve") == days(people, "eve", of="eve") == []


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "books_doubts") == {"authenticated"}
