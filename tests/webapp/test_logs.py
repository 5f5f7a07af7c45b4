"""The application's log handler, as logging uses it on each Python from 3.11 on."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from psycopg_pool import ConnectionPool
from stack import Stack

from webapp import logs
from webapp.logs import Handler


def test_the_handler_has_the_lock_that_newer_pythons_take() -> None:
    written = StringIO()
    handler = Handler(written)
    handler.handle(logging.LogRecord("spendai", logging.INFO, "", 0, "call=%s", ("one",), None))
    with handler.lock:  # from Python 3.13 on, flush and shutdown do so
        pass
    handler.acquire()
    handler.release()
    handler.flush()
    handler.close()
    assert written.getvalue().endswith("Z INFO spendai call=one\n")


def test_why_there_is_no_connection_is_said_once_in_a_while_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As to a gateway with another SECRET_KEY: without a call, nothing else in its log would tell."""
    logs.init_app(None)
    pools, written = logging.getLogger("psycopg.pool"), StringIO()
    monkeypatch.setattr(pools.handlers[0], "stream", written)
    monkeypatch.setattr(pools.filters[0], "until", 0.0)
    where = "postgresql://spendai_web:the-password@127.0.0.1:1/spendai"
    with ConnectionPool(where, name="web", min_size=1, open=True):
        Stack.wait_for(written.getvalue)
    attempt = "error connecting in %r: %s", "web", "again"
    pools.warning(*attempt)
    line, end = written.getvalue().split("\n")
    assert "WARNING psycopg.pool the database cannot be reached: " in line and "refused" in line and not end
    assert "the-password" not in line
    monkeypatch.setattr(pools.filters[0], "until", 0.0)
    pools.warning("error connecting in %r: %s", "read", "a replica")
    pools.warning("discarding closed connection: %s", "one")
    pools.warning(*attempt)
    assert written.getvalue().endswith("cannot be reached: again\n") and written.getvalue().count("\n") == 2
