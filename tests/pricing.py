"""Short ways to ask the database for a price; every number comes back as Decimal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg

NOW = "2026-11-01T12:00:00Z"
CHAT = "/v1/chat/completions"
MILLION = 1_000_000


@dataclass
class Price:
    """An answer of app.price_usage."""

    cost: Decimal | None
    status: str
    lines: list[dict[str, Any]]

    def line(self, dimension: str) -> dict[str, Any]:
        """The one line of this dimension."""
        (found,) = [line for line in self.lines if line["dimension"] == dimension]
        return found

    @property
    def quantities(self) -> dict[str, Decimal]:
        return {line["dimension"]: line["quantity"] for line in self.lines}


def exact(text: str) -> Any:
    """JSON with every number as Decimal."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def value(db: psycopg.Connection, expression: str, *args: object) -> Any:
    """The one value of a select, JSON read exactly."""
    row = db.execute(f"select ({expression})::text as value", args).fetchone()
    return None if row["value"] is None else exact(row["value"])


def price(db: psycopg.Connection, model: str | None, usage: Any, tools: Any = None, **more: Any) -> Price:
    """One call priced; `more`: endpoint, requested, tier, batch, org, at."""
    row = db.execute(
        "select cost, cost_status, cost_lines::text as lines"
        " from app.price_usage(%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)",
        [
            more.get("org"), more.get("endpoint", CHAT), model, more.get("requested"), more.get("tier"),
            more.get("batch", False), None if usage is None else json.dumps(usage),
            None if tools is None else json.dumps(tools), more.get("at", NOW),
        ],
    ).fetchone()  # fmt: skip
    return Price(row["cost"], row["cost_status"], exact(row["lines"]))


def usd(*parts: tuple[int | str, int | str] | tuple[int | str, int | str, int]) -> Decimal:
    """Dollars by hand: (quantity, price[, per how many]) …, each rounded half up to 12 decimals."""
    return sum(
        (
            (Decimal(part[0]) * Decimal(part[1]) / (part[2] if len(part) > 2 else MILLION)).quantize(
                Decimal("1e-12"), ROUND_HALF_UP
            )
            for part in parts
        ),
        Decimal(0),
    )


def add_price(db: psycopg.Connection, model: str, dimension: str, unit_price: str, **more: object) -> int:
    """A row of model_prices, as the owner; returns its id."""
    row = {
        "org_id": None, "model": model, "dimension": dimension, "service_tier": "standard", "context_min_tokens": 0,
        "qualifier": "", "unit_price": unit_price, "unit_qty": MILLION, "valid_from": "2020-01-01T00:00:00Z",
        "revision": 1, "source": "test",
    } | more  # fmt: skip
    names = ", ".join(row)
    marks = ", ".join(["%s"] * len(row))
    return db.execute(f"insert into model_prices ({names}) values ({marks}) returning id", [*row.values()]).fetchone()[
        "id"
    ]


def chat(tokens_in: object, tokens_out: object, **details: Mapping[str, Any]) -> dict[str, Any]:
    """A chat completion's usage; `details`: prompt={…}, completion={…}."""
    usage: dict[str, Any] = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
    for half, named in details.items():
        usage[f"{half}_tokens_details"] = named
    return usage
