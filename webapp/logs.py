"""Logs: one line per event on standard error, never a key, a prompt, an answer or a query string."""

from __future__ import annotations

import logging
import sys
import time


class Formatter(logging.Formatter):
    """Times in UTC, each second spelled out once."""

    second, spelled = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """2026-11-26T06:38:00.123Z"""
        second = int(record.created)
        if second != self.second:
            self.second, self.spelled = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self.spelled}.{int(record.msecs):03d}Z"


def init_app(app: object) -> None:
    """Write the application's log to standard error, times in UTC."""
    logger = logging.getLogger("spendai")
    if logger.handlers:
        return
    # Nothing that our lines do not show is looked up for every one of them: thread, process, calling function.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # what logging's own documentation advises
    formatter = Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a line per attempt while the database is away
