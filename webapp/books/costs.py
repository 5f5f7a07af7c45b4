"""Reads the Costs API: lines of OpenAI's bill, and the days they are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from webapp.books.administration import Administration, Params
from webapp.books.values import DAY_SECONDS, BooksError, day_of, exact, midnight, name, seconds

BUCKETS = 180  # days of one page
BY_KEY = ("project_id", "api_key_id", "line_item")
BY_PROJECT = ("project_id", "line_item")
NAMELESS = "(no name)"


@dataclass
class Costs:
    """days, costs: as app.books_store takes them. grain: key, or project where OpenAI does not group by keys."""

    grain: str
    days: list[dict[str, Any]] = field(default_factory=list)
    costs: list[dict[str, Any]] = field(default_factory=list)


def fetch_costs(api: Administration, since: date, until: date) -> Costs:
    """All lines of the days from ``since`` up to but without ``until``. A day without a bucket is left out."""
    try:
        return _read(api, since, until, Costs("key"), BY_KEY)
    except BooksError as error:
        if error.status != 400:
            raise
        return _read(api, since, until, Costs("project"), BY_PROJECT)


def _read(api: Administration, since: date, until: date, found: Costs, groups: tuple[str, ...]) -> Costs:
    params: Params = [("end_time", midnight(until)), *(("group_by", group) for group in groups)]
    seen = set()
    for bucket in api.buckets("costs", "1d", midnight(since), BUCKETS, params):
        start = seconds(bucket.get("start_time"), "the start of a day")
        day = day_of(start, "a day of costs")
        if not since <= day < until:
            continue
        if day in seen:
            raise BooksError(f"costs: OpenAI's answer has {day} twice")
        seen.add(day)
        found.days.append({"day": day.isoformat(), "whole": _ended(api.now, start)})
        found.costs += [_line(day, result) for result in results_of(bucket, "costs")]
    return found


def results_of(bucket: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The results of a bucket."""
    results = bucket.get("results")
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise BooksError(f"{path}: a bucket of OpenAI's answer has no results")
    return results


def _ended(now: datetime, start: int) -> bool:
    """Whether a day was over by OpenAI's clock."""
    return datetime.fromtimestamp(start + DAY_SECONDS, UTC) <= now


def _line(day: date, result: dict[str, Any]) -> dict[str, Any]:
    amount, where = result.get("amount"), f"a line of {day}"
    if not isinstance(amount, dict):
        raise BooksError(f"costs: {where} has no amount")
    currency = amount.get("currency")
    if not isinstance(currency, str) or currency.lower() != "usd":
        raise BooksError(f"costs: {where} is in {str(currency)[:20]!r}; only US dollars can be added up")
    quantity = result.get("quantity")
    return {
        "day": day.isoformat(),
        "openai_project_id": name(result.get("project_id"), "a project's id"),
        "openai_key_id": name(result.get("api_key_id"), "a key's id"),
        "line_item": name(result.get("line_item"), "the name of a line") or NAMELESS,
        "quantity": None if quantity is None else exact(quantity, f"costs: the quantity of {where}"),
        "quantity_unit": name(result.get("quantity_unit"), "a unit"),
        "amount": exact(amount.get("value"), f"costs: the amount of {where}"),
    }
