"""app.books_doubts: times whose minutes at OpenAI may prove what a call used."""

from __future__ import annotations

from datetime import datetime, timedelta

from checks import executors
from openai_books import DAY, call, doubtful, linked_key, moment
from people import People

DOUBTS = "select * from app.books_doubts(%s, %s, %s)"
BEFORE, TOMORROW = DAY - timedelta(days=1), DAY + timedelta(days=1)


def spans(people: People, who: str = "ada", of: str = "ada", until: int = 3) -> list[tuple[datetime, datetime]]:
    with people.as_(who):
        rows = people.all(DOUBTS, people.orgs[of], DAY, DAY + timedelta(days=until))
    return [(row["since"], row["until"]) for row in rows]


def test_the_minutes_of_a_call_in_doubt_and_of_one_without_usage_are_named(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("09:00:00"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5})
    assert spans(people) == []
    doubtful(people, key, moment("15:00:30"), "gpt-4o-mini")
    call(people, key, moment("12:00:59"), "gpt-4o-mini", None, seconds=2, cost=None, cost_status="no_usage")
    assert spans(people) == [
        (moment("12:00:00"), moment("12:02:00")), (moment("15:00:00"), moment("15:11:00")),
    ]  # fmt: skip


def test_calls_side_by_side_are_one_span_and_the_period_cuts_it(people: People) -> None:
    key = linked_key(people)
    for clock in ("23:52:00", "23:57:00"):
        doubtful(people, key, moment(clock), "gpt-4o-mini")
        doubtful(people, key, moment(clock, BEFORE), "gpt-4o-mini")
    night = (moment("00:00:00"), moment("00:08:00"))
    assert spans(people) == [night, (moment("23:52:00"), moment("00:08:00", TOMORROW))]
    assert spans(people, until=1) == [night, (moment("23:52:00"), moment("00:00:00", TOMORROW))]


def test_sandbox_calls_do_not_count_and_eve_learns_nothing_of_acme(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("12:00:00"), "gpt-4o-mini", None, cost=None, cost_status="no_usage", upstream="sandbox")
    assert spans(people) == []
    doubtful(people, key, moment("12:00:00"), "gpt-4o-mini")
    assert len(spans(people, "dev")) == 1
    assert spans(people, "eve") == spans(people, "eve", of="eve") == []


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "books_doubts") == {"authenticated"}
