"""Logs on standard error: one line per event (and the traceback of an unexpected error).

No line has a key, a prompt, an answer or a query string in it.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from traceback import extract_tb

from webapp import db


class Handler(logging.StreamHandler):
    """Writes each event with one ``write``, so that none waits for a lock; times are UTC.

    second, spelled: the last second that was formatted and its text, kept because many events share a second.
    """

    second, spelled = 0, ""

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the event without taking the lock."""
        self.emit(record)
        return True

    def format(self, record: logging.LogRecord) -> str:
        """2026-11-26T06:38:00.123Z INFO spendai.gateway …"""
        second = int(record.created)
        if second != self.second:
            self.second, self.spelled = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        said = super().format(record) if record.exc_info else record.getMessage()
        return f"{self.spelled}.{int(record.msecs):03d}Z {record.levelname} {record.name} {said}"

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + "\n")
            self.stream.flush()
        except Exception:
            self.handleError(record)


class WhyNoConnection(logging.Filter):
    """Of what psycopg's pools log: why there is no connection to the database, in one line, at most once in SECONDS.

    The pools log every attempt; those to a read replica are left to webapp/replica, which says more of it.
    """

    SECONDS, until = 60.0, 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record; changes its text."""
        if record.msg != "error connecting in %r: %s" or str(record.args[0]).startswith("read"):
            return False
        if record.created < self.until:
            return False
        self.until = record.created + self.SECONDS
        record.msg, record.args = "the database cannot be reached: %s", (db.in_one_line(record.args[1]),)
        return True


def raised(error: BaseException) -> str:
    """What was raised, and where; without its message, which may quote what a client or OpenAI sent."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def init_app(app: object) -> None:
    """Write the application's log to standard error, times in UTC."""
    logger = logging.getLogger("spendai")
    if logger.handlers:
        return
    # Our lines show neither thread nor process nor calling function, so logging need not look them up for each event.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # leaves out the calling function, as logging's documentation advises
    logger.addHandler(Handler(sys.stderr))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    pools = logging.getLogger("psycopg.pool")
    pools.addFilter(WhyNoConnection())
    pools.addHandler(Handler(sys.stderr))
    pools.propagate = False
