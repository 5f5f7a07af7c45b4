"""OpenAI's books beside the ledger, as pages and API read them: the comparison is brought up to date first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from webapp import db
from webapp.errors import ApiError
from webapp.periods import YEARS, months_later

LONGEST = 400  # days that are compared for one request
DAY_FORM = re.compile(r"\d{4}-\d{2}-\d{2}")
DAYS = """
    select day, openai, ledger, difference, explained, unexplained, unexplained_gross, whole, fetched_at, compared_at,
        restatements
    from public.reconciliation_days where day >= %s and day < %s order by day
"""
TOTALS = """
    select count(*) as days, coalesce(sum(openai), 0) as openai, coalesce(sum(ledger), 0) as ledger,
        coalesce(sum(difference), 0) as difference, coalesce(sum(explained), 0) as explained,
        coalesce(sum(unexplained), 0) as unexplained, coalesce(sum(unexplained_gross), 0) as unexplained_gross,
        min(fetched_at) as fetched_at
    from public.reconciliation_days where day >= %s and day < %s
"""
PARTS = """
    select n, line, reason, explained, amount, quantity, openai, openai_quantity, ledger, ledger_quantity, model,
        openai_key_id, openai_key, openai_project_id, openai_project, detail
    from public.reconciliation_lines where day = %s order by n
"""


def as_day(text: str) -> date | None:
    """The date that a text such as 2026-10-14 spells, in one of YEARS; None for any other text."""
    try:
        day = date.fromisoformat(text) if DAY_FORM.fullmatch(text) and text.isascii() else None
    except ValueError:
        return None
    return day if day and day.year in YEARS else None


def period(args: Mapping[str, str]) -> tuple[date, date]:
    """``from`` (inclusive) and ``to`` (exclusive) of a query string; by default the last 30 days. ApiError 400."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    until = _given(args, "to") or tomorrow
    since = _given(args, "from") or until - timedelta(days=30)
    if since >= until:
        raise ApiError(400, "invalid_period", "'from' must be before 'to'", "from")
    if (until - since).days > LONGEST:
        raise ApiError(400, "invalid_period", f"a period of OpenAI's books has at most {LONGEST} days", "from")
    return since, until


def _given(args: Mapping[str, str], name: str) -> date | None:
    text = (args.get(name) or "").strip()
    if text and as_day(text) is None:
        raise ApiError(400, "invalid_date", f"'{name}' is a date (2026-01-31)", name)
    return as_day(text)


def compare(tx: db.Transaction, since: date, until: date) -> None:
    """Compare again the days whose books, calls, links or names of lines changed; each in a statement of its own, which
    has a limit of its own: a day of 100,000 calls takes more than a second."""
    for row in tx.rows("books_to_compare", since, until):
        day = row["books_to_compare"]
        tx.call("reconcile", day, day + timedelta(days=1))


def days(tx: db.Transaction, since: date, until: date) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The days of OpenAI's books in [since, until), compared, the first one first; and their sums."""
    compare(tx, since, until)
    return tx.query(DAYS, since, until), tx.query(TOTALS, since, until)[0]


def one_day(tx: db.Transaction, text: str) -> dict[str, Any] | None:
    """A day of OpenAI's books with its ``parts``; None for a day that was never fetched, and for what is no day."""
    day = as_day(text)
    rows = days(tx, day, day + timedelta(days=1))[0] if day else []
    return rows[0] | {"parts": tx.query(PARTS, day)} if rows else None


def compare_months(tx: db.Transaction, months: int) -> None:
    """Compare again what changed in the newest months that OpenAI's books have."""
    newest = tx.query("select max(day) as day from public.openai_days")[0]["day"]
    if newest:
        compare(tx, months_later(newest.replace(day=1), 1 - months), newest + timedelta(days=1))
