"""The reasons of differences from OpenAI's books in words, and the calls or lines that are behind a part of one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import url_for

# Reason (view part_reasons) → its words on pages.
REASONS = {
    "outside_key": "another key",
    "surface": "no key",
    "in_doubt": "calls in doubt",
    "no_usage": "calls without usage",
    "unpriced": "calls without a price",
    "free_tokens": "free tokens",
    "own_rate": "a rate of your own",
    "price_date": "price changed",
    "day_boundary": "ended on another day",
    "correction": "corrections",
    "closed_by_hand": "closed by hand",
    "rounding": "rounding",
    "agrees": "agrees",
    "price_differs": "another price",
    "missing_in_ledger": "not in the ledger",
    "missing_at_openai": "not at OpenAI",
    "quantity_unexplained": "another quantity",
    "no_quantity": "no quantity",
    "unknown_line": "unknown line",
}
BILLED = ("missing_in_ledger", "unknown_line")  # no call is behind these
APART = ("outside_key", "surface")  # parts of lines that are not compared with the ledger
COST_STATUSES = {
    "in_doubt": ["in_doubt"],
    "no_usage": ["no_usage", "pending_object"],
    "unpriced": ["unpriced_model", "unpriced_dimension"],
}
Row = dict[str, Any]


def led_to(part: Row, bill: list[Row], models: list[Row], day: date) -> list[tuple[str, str]]:
    """(words, address) of what is behind a part: calls that prove it, calls of its day and model, OpenAI's lines."""
    proven = part["detail"].get("calls", [])
    links = [(f"call {call[:8]}", url_for("calls.show", call_id=call)) for call in proven[:3]]
    if part["reason"] not in (*APART, *BILLED) and (not proven or len(proven) > len(links)):
        links += _calls(part, models, day)
    place = next((line["n"] for line in bill if _behind(part, line)), None)
    return links + ([("OpenAI's line", f"#bill-{place}")] if place else [])


def _calls(part: Row, models: list[Row], day: date) -> list[tuple[str, str]]:
    """The Calls page filtered by the day, the names of the part's model, and the state of the cost."""
    names = [row["name"] for row in models if row["price_model"] == part["model"]]
    if part["model"] and not names:
        return []  # no such call: the page would list other calls
    period = {"from": day, "to": day, "tz": "UTC"}
    if part["reason"] == "day_boundary":
        period = {"from": f"{day - timedelta(days=1)}T22:00:00Z", "to": f"{day + timedelta(days=1)}T00:00:00Z"}
    words = period | {"model": names}
    words["cost_status"] = COST_STATUSES.get(part["reason"], [])
    return [("calls", url_for("calls.index", **words))]


def _behind(part: Row, line: Row) -> bool:
    """Whether a line of OpenAI's bill is of this part."""
    if part["reason"] not in APART:
        return line["line"] == part["line"]
    names = ("openai_key_id", "openai_project_id")
    return line["line_item"] == part["line"] and all(line[name] == part[name] for name in names)
