"""Bringing the comparison of OpenAI's books up to date, within the time that a statement of a page may take."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from webapp.books.compared import compare


def test_each_day_is_compared_in_a_statement_of_its_own() -> None:
    asked: list[tuple[Any, ...]] = []
    compare(SimpleNamespace(call=lambda *words: asked.append(words)), date(2026, 2, 27), date(2026, 3, 2))
    days = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]
    assert asked == [("reconcile", day, following) for day, following in pairwise(days)]
