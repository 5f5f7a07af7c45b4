"""Months of OpenAI's books as people write them (2026-10), and the columns of the tables of a closed month."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from webapp.errors import ApiError

BREAKDOWNS = {"project": "Project", "key": "Key", "model": "Model", "tag": "Tag", "person": "Person"}
COLUMNS = (
    "name", "calls", "tokens_in", "tokens_cached", "tokens_out", "cost", "corrections", "unpriced_calls",
    "no_usage_calls", "in_doubt_calls", "id",
)  # fmt: skip
DOLLARS = {"cost", "corrections"}


def read_month(text: str) -> date:
    """First day of a month written as 2026-10; ApiError 400 month_invalid for anything else."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text):
        raise ApiError(400, "month_invalid", "write a month as 2026-10", param="month")
    return date.fromisoformat(f"{text}-01")


def table_rows(report: dict[str, list[dict[str, Any]]], by: str) -> list[dict[str, Any]]:
    """Rows of one breakdown of app.month_report, keys COLUMNS, dollars as Decimal."""
    return [
        {column: Decimal(row[column]) if column in DOLLARS else row[column] for column in COLUMNS} for row in report[by]
    ]
