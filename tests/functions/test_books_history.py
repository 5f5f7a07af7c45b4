"""app.books_history: what was spent before the first call."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, call, fetch, linked_key, moment
from people import People

HISTORY = "select * from app.books_history(%s, %s, %s)"


def test_days_before_the_first_call_count_in_the_bar_that_has_them_and_later_ones_do_not(people: People) -> None:
    first = DAY - timedelta(days=9)
    days = {first + timedelta(days=n): [(None, "gpt-5, input", 1, "tokens", n + 1)] for n in range(10)}
    fetch(people, {first: [(None, "gpt-5, input", 1, "tokens", 100)]})
    fetch(people, days)  # the newer fetch of the first day counts
    call(people, linked_key(people), moment("12:00:00", DAY - timedelta(days=1)), "gpt-4o-mini", {"input_tokens": 1})
    with people.as_("dev"):
        weeks = people.all(HISTORY, first, DAY + timedelta(days=1), 7)
        single = people.all(HISTORY, first, first + timedelta(days=2), 1)
    assert [(row["bar"], row["amount"]) for row in weeks] == [(first, D(28)), (first + timedelta(days=7), D(8))]
    assert [row["amount"] for row in single] == [1, 2]


def test_without_any_call_all_of_it_is_history_and_eve_has_none(people: People) -> None:
    fetch(people, {DAY: [(None, "gpt-5, input", 1, "tokens", 3)]})
    with people.as_("ada"):
        assert people.all(HISTORY, DAY, DAY + timedelta(days=1), 1) == [{"bar": DAY, "amount": D(3)}]
    with people.as_("eve"):
        assert people.all(HISTORY, DAY, DAY + timedelta(days=1), 1) == []
    assert executors(people.conn, "books_history") == {"authenticated"}
