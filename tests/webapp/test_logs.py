"""The application's log handler, as logging uses it on each Python from 3.11 on."""

from __future__ import annotations

import logging
from io import StringIO

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
