"""Gauges that only the database knows: unpriced calls, calls in doubt, sizes. Asked when somebody reads /metrics.

On a connection of its own, so that neither a call nor a page ever waits for it.
"""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import Any

import psycopg
from psycopg.rows import dict_row

from webapp import db
from webapp.config import Config

log = logging.getLogger("spendai")
KEPT_SECONDS = 15.0  # for which an answer is given again
CONNECT_SECONDS = 2
ANSWER_SECONDS = 4.0  # Prometheus waits ten seconds by default
UP = ("spendai_database_up", "1: the database answered SpendAI's question for the gauges below. 0: they are left out.")
# Name in app.metrics_gauges → name of the metric, and what it means.
GAUGES = {
    "unpriced_calls": (
        "spendai_unpriced_calls",
        "Calls to OpenAI of today and the six days before (UTC) that have no cost because a price is missing.",
    ),
    "calls_in_doubt": (
        "spendai_calls_in_doubt",
        "Calls to OpenAI of which nobody knows whether they were billed: open beyond their deadline.",
    ),
    "database_bytes": ("spendai_database_size_bytes", "Size of the whole database, with indexes."),
    "month_bytes": ("spendai_month_size_bytes", "Size of the calls of one month, with indexes, up to this month."),
}


class Installation:
    """What the database says of the installation; ``rows`` asks it at most once in KEPT_SECONDS."""

    def __init__(self, config: Config) -> None:
        self._config, self._asking = config, Lock()
        self._rows: list[dict[str, Any]] = []
        self._until = 0.0

    def rows(self) -> list[dict[str, Any]]:
        """Rows of app.metrics_gauges; none while the database does not answer."""
        with self._asking:
            if time.monotonic() >= self._until:
                self._rows = []
                try:
                    self._rows = self._ask()
                    self._until = time.monotonic() + KEPT_SECONDS
                except psycopg.Error as error:
                    log.warning("no metrics from the database: %s", error.sqlstate or type(error).__name__)
            return self._rows

    def _ask(self) -> list[dict[str, Any]]:
        conn = db.WatchedConnection.connect(
            db.dsn(self._config, "spendai_proxy"), connect_timeout=CONNECT_SECONDS, prepare_threshold=None,
            row_factory=dict_row, application_name="spendai metrics",
        )  # fmt: skip
        conn.answer_seconds = ANSWER_SECONDS
        with conn:
            limit = f"{ANSWER_SECONDS:.0f}s"
            conn.execute("select set_config('statement_timeout', %s, true), set_config('jit', 'off', true)", [limit])
            return db.Transaction(conn).rows("metrics_gauges")
