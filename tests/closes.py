"""Months of OpenAI's books for tests: every day fetched, twice unless said otherwise, and a call on one day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from openai_books import DAY, Line, call, fetch, linked_key, moment
from people import People

MONTH = date(2026, 10, 1)
DAYS = [MONTH + timedelta(days=n) for n in range(31)]
AGREES: Line = ("key_proxy", "gpt-4o-mini-2024-07-18, input", 1_000_000, "tokens", "0.15")
OUTSIDE: Line = ("key_laptop", "gpt-5.4-2026-03-05, output", 10_000, "tokens", "0.15")
NO_QUANTITY: Line = ("key_proxy", "file search tool calls", None, None, "0.005")
MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}


def fetched(
    people: People, *lines: Line, times: int = 2, who: str = "ada", first: date = MONTH, count: int = 31
) -> None:
    """Fetch each day of the month; these lines are on DAY, the other days are empty."""
    for _ in range(times):
        fetch(people, {first + timedelta(days=n): [] for n in range(count)} | {DAY: list(lines)}, who)


def month(people: People, *more: Line, who: str = "ada", times: int = 2, **changes: Any) -> Any:
    """A month with one call of $0.15 that OpenAI bills alike, and more lines; the id of the call."""
    made = call(
        people, linked_key(people, who), moment("09:00:00"), "gpt-4o-mini-2024-07-18", MILLION, who=who, **changes
    )
    fetched(people, AGREES, *more, times=times, who=who)
    return made


def close(people: People, note: str = "", invoice: Any = None, confirm: bool = False, who: str = "ada") -> Any:
    """Close MONTH as this person; the id of the row."""
    with people.as_(who):
        return people.one("select app.month_close(%s, %s, %s, %s) as id", MONTH, note, invoice, confirm)["id"]


def state(people: People, who: str = "ada", at: date = MONTH) -> dict[str, Any]:
    """The row of app.month_state, the comparison brought up to date before, as pages do."""
    with people.as_(who):
        people.one("select app.reconcile(%s, %s)", at, at + timedelta(days=31))
        return people.one("select * from app.month_state(%s)", at)
