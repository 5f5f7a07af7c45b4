"""``flask …`` against a database of a test's own, in this process; and price sources for it to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from people import People
from psycopg.rows import dict_row
from stack import SECRETS

from webapp import create_app
from webapp.config import load
from webapp.postgres.cluster import SUPERUSER


class Operator:
    """run(…) types a command; conn is the owner's connection, for what is already committed; people live in it."""

    def __init__(self, app: Flask, conn: psycopg.Connection[dict[str, Any]], folder: Path) -> None:
        self.app, self.conn, self.folder = app, conn, folder

    def run(self, *words: str) -> Result:
        return self.app.test_cli_runner().invoke(args=list(words))

    def people(self) -> People:
        return People(self.conn)

    def rows(self, query: str, *args: object) -> list[dict[str, Any]]:
        return self.conn.execute(query, args).fetchall()

    def source(self, *models: dict[str, Any], text: str | None = None) -> str:
        """A data.json with these models of OpenAI's, or with this text; its path."""
        file = self.folder / "data.json"
        other = {"id": "deepseek", "models": [{"id": "gpt-4o", "prices": {"input_mtok": 99}}]}
        file.write_text(text if text is not None else json.dumps([other, {"id": "openai", "models": list(models)}]))
        return str(file)

    def cost_map(self, **models: dict[str, Any]) -> str:
        """A cost map of litellm's shape with these models of OpenAI's, _ in their names for -; its path."""
        listed = {name.replace("_", "-"): fields | {"litellm_provider": "openai"} for name, fields in models.items()}
        listed["deepseek/gpt-4o"] = {"litellm_provider": "deepseek", "input_cost_per_token": 0.000099}
        file = self.folder / "model_prices_and_context_window.json"
        file.write_text(json.dumps(listed))
        return str(file)

    def both(self, *models: dict[str, Any]) -> list[str]:
        """Options that name a data.json and a cost map which agree on these models of genai-prices' shape."""
        return ["--file", self.source(*models), "--file", self.cost_map(**dict(map(_as_litellm, models)))]


PER_TOKEN = {"input_mtok": "input_cost_per_token", "output_mtok": "output_cost_per_token",
             "cache_read_mtok": "cache_read_input_token_cost"}  # fmt: skip
TIERS = {"priority": "_priority", "fast": "_priority", "flex": "_flex", "batch": "_batches"}


def _as_litellm(model: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The prices per token of a model, in force last, as litellm writes them: name and fields."""
    prices = model["prices"] if isinstance(model["prices"], list) else [model]
    sets = [("", prices[-1]["prices"])]
    sets += [(TIERS[word], part["prices"]) for part in model.get("price_variants", ()) for word in part["when"].values()
             if word in TIERS]  # fmt: skip
    fields: dict[str, Any] = {}
    for suffix, units in sets:
        for unit in units.keys() & PER_TOKEN.keys():
            steps = units[unit] if isinstance(units[unit], dict) else {"base": units[unit], "tiers": []}
            fields[PER_TOKEN[unit] + suffix] = steps["base"] / 1e6
            for step in steps["tiers"]:
                fields[f"{PER_TOKEN[unit]}_above_{step['start'] // 1000}k_tokens{suffix}"] = step["price"] / 1e6
    return model["id"], fields


@pytest.fixture
def operator(own_dsn: str, tmp_path: Path) -> Iterator[Operator]:
    app = create_app(load(SECRETS | {"DATABASE_URL": own_dsn, "SPENDAI_HOME": str(tmp_path / "home")}))
    admin = psycopg.conninfo.make_conninfo(own_dsn, user=SUPERUSER)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")  # the connection belongs to a superuser, who may `set role` to any role
        yield Operator(app, conn, tmp_path)
