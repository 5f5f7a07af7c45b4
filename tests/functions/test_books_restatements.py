"""app.books_restatements."""

from __future__ import annotations

from decimal import Decimal as D

from checks import executors
from openai_books import DAY, fetch
from people import People

TRAIL = "select * from app.books_restatements(%s)"


def test_every_fetch_is_there_with_what_it_changed(people: People) -> None:
    for dollars in ("1", "1.25", "1.25"):
        fetch(people, {DAY: [("key_a", "gpt-4o, output", 1, "tokens", dollars)]})
    with people.as_("dev"):
        rows = people.all(TRAIL, DAY)
    assert [(row["amount"], row["changed"]) for row in rows] == [(D("1.25"), 0), (D("1.25"), D("0.25")), (1, None)]
    with people.as_("eve"):
        assert people.all(TRAIL, DAY) == []
    assert executors(people.conn, "books_restatements") == {"authenticated"}
