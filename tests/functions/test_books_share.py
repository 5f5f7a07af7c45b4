"""app.books_share."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, compare, fetch, worked_day
from people import People

SHARE = "select * from app.books_share(%s, %s)"


def test_the_three_parts_of_a_day_are_all_that_openai_billed(people: People) -> None:
    worked_day(people)
    compare(people)
    fetch(people, {DAY - timedelta(days=1): []})
    compare(people, DAY - timedelta(days=1))
    with people.as_("dev"):
        before, day = people.all(SHARE, DAY - timedelta(days=1), DAY + timedelta(days=1))
        assert people.all(SHARE, DAY + timedelta(days=1), DAY + timedelta(days=9)) == []
    assert (day["outside"], day["surface"], day["through"]) == (D("0.15"), D("0.0015"), D("2.2698"))
    assert day["openai"] == D("2.4213") and day["share"] == D("0.937430")
    assert (before["openai"], before["share"]) == (0, None)
    with people.as_("eve"):
        assert people.all(SHARE, DAY, DAY + timedelta(days=1)) == []
    assert executors(people.conn, "books_share") == {"authenticated"}
