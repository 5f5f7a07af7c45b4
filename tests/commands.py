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


@pytest.fixture
def operator(own_dsn: str, tmp_path: Path) -> Iterator[Operator]:
    app = create_app(load(SECRETS | {"DATABASE_URL": own_dsn, "SPENDAI_HOME": str(tmp_path / "home")}))
    admin = psycopg.conninfo.make_conninfo(own_dsn, user=SUPERUSER)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")  # the connection belongs to a superuser, who may `set role` to any role
        yield Operator(app, conn, tmp_path)
