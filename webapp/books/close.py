"""Months of OpenAI's books as people write them (2026-10), and the columns of the tables of a closed month."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

BREAKDOWNS = {"project": "Project", "key": "Key", "model": "Model", "tag": "Tag", "person": "Person"}
COLUMNS = (
    "name", "calls", "tokens_in", "tokens_cached", "tokens_out", "cost", "corrections", "unpriced_calls",
    "no_usage_calls", "in_doubt_calls", "id",
)  # fmt: skip
DOLLARS = {"cost", "corrections"}


def read_month(text: str) -> date | None:
    """First day of a month written as 2026-10; None for anything else."""
    return date.fromisoformat(f"{text}-01") if re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text) else None


def table_rows(report: dict[str, list[dict[str, Any]]], by: str) -> list[dict[str, Any]]:
    """Rows of one breakdown of app.month_report, keys COLUMNS, dollars as Decimal."""
    return [
        {column: Decimal(row[column]) if column in DOLLARS else row[column] for column in COLUMNS} for row in report[by]
    ]
