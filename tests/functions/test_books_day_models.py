"""app.books_day_models."""

from __future__ import annotations

from datetime import timedelta

from checks import executors
from openai_books import DAY, worked_day
from people import People

MODELS = "select price_model, name from app.books_day_models(%s)"


def test_price_models_lead_to_the_names_in_the_calls_of_the_day_and_the_day_before(people: People) -> None:
    worked_day(people)
    with people.as_("dev"):
        found = {(row["price_model"], row["name"]) for row in people.all(MODELS, DAY)}
        assert people.all(MODELS, DAY + timedelta(days=1)) != []
        assert people.all(MODELS, DAY + timedelta(days=2)) == []
    assert {("gpt-4o-mini", "gpt-4o-mini-2024-07-18"), ("gpt-5.4", "gpt-5.4-2026-03-05")} <= found
    with people.as_("eve"):
        assert people.all(MODELS, DAY) == []
    assert executors(people.conn, "books_day_models") == {"authenticated"}
