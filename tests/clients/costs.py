"""What an answer of the stand-in costs, worked out here and not by the product."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

from clients.openai_stand_in import Answer
from fake_openai import SERVED

from webapp.config import ROOT


def prices() -> dict[tuple[str, str], Decimal]:
    """Dollars for one token of a model and dimension, standard tier and shortest context, as they are shipped."""
    with (ROOT / "db/prices/model_prices.csv").open() as file:
        return {
            (row["model"], row["dimension"]): Decimal(row["unit_price"]) / Decimal(row["unit_qty"])
            for row in csv.DictReader(file)
            if row["service_tier"] == "standard" and row["context_min_tokens"] == "0"
        }  # fmt: skip


def expected(answer: Answer, price: dict[tuple[str, str], Decimal]) -> tuple[Any, ...]:
    """The row that the ledger must have for an answer."""
    cost = sum(amount * price[answer.model, dimension] for dimension, amount in answer.amounts.items() if amount)
    return SERVED.get(answer.model, answer.model), *answer.tokens, cost, "priced", "settled"
