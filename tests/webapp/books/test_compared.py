"""Bringing the comparison of OpenAI's books up to date, within the time that a statement of a page may take."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from webapp.books.compared import compare


def test_each_day_that_changed_is_compared_in_a_statement_of_its_own() -> None:
    asked: list[tuple[Any, ...]] = []

    def rows(*words: Any) -> list[dict[str, date]]:
        asked.append(words)
        return [{"books_to_compare": date(2026, 2, 27)}, {"books_to_compare": date(2026, 2, 28)}]

    compare(SimpleNamespace(rows=rows, call=lambda *words: asked.append(words)), date(2026, 2, 26), date(2026, 3, 2))
    assert asked == [
        ("books_to_compare", date(2026, 2, 26), date(2026, 3, 2)),
        ("reconcile", date(2026, 2, 27), date(2026, 2, 28)),
        ("reconcile", date(2026, 2, 28), date(2026, 3, 1)),
    ]
