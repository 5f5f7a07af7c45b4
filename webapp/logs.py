"""Logs: one line per event on standard error, never a key, a prompt, an answer or a query string."""

from __future__ import annotations

import logging
import sys
import time


def init_app(app: object) -> None:
    """Write the application's log to standard error, times in UTC."""
    logger = logging.getLogger("spendai")
    if logger.handlers:
        return
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a line per attempt while the database is away
