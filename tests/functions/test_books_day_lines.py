"""app.books_day_lines."""

from __future__ import annotations

from decimal import Decimal as D

from checks import executors
from openai_books import DAY, compare, worked_day
from people import People

LINES = "select * from app.books_day_lines(%s)"


def test_each_line_has_the_name_under_which_it_is_compared(people: People) -> None:
    worked_day(people)
    compared = {part["line"] for part in compare(people) if part["reason"] not in ("outside_key", "surface")}
    with people.as_("dev"):
        lines = people.all(LINES, DAY)
    assert len(lines) == 11 and sum(line["amount"] for line in lines) == D("2.4213")
    assert (lines[0]["line_item"], lines[0]["line"]) == (
        "gpt-5.4-2026-03-05, input, long context", "gpt-5.4, input, long context",
    )  # fmt: skip
    assert compared - {line["line"] for line in lines} == set()
    with people.as_("eve"):
        assert people.all(LINES, DAY) == []
    assert executors(people.conn, "books_day_lines") == {"authenticated"}
