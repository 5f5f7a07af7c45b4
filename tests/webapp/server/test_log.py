"""gunicorn's own log: one line for each malformed request, which quotes nothing of it."""

from __future__ import annotations

import logging
import re
import socket

import pytest
from gunicorn.config import Config
from stack import Stack

from webapp.server.log import Logger

LINE = re.compile(r"\[[\d-]{10} [\d:]{8} [+-]\d{4}\] \[WARNING\] Invalid request from ip=127\.0\.0\.1: (.+)")
MALFORMED = {
    b"GET /api/v1/proxy/models?secret=1 HTTP/9.9\r\nHost: x\r\n\r\n": "Invalid HTTP Version",
    b"GET\r\n\r\n": "Invalid HTTP request line",
    b"G(T /?secret HTTP/1.1\r\nHost: x\r\n\r\n": "Invalid HTTP method",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer sk-spend-secret\r\n\r\n": "Invalid HTTP Header",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-spend-secret\x00\r\n\r\n": "Invalid HTTP Header",
    b"GET / HTTP/1.1\r\nHost: x\r\nsk-secret (: 1\r\n\r\n": "Invalid HTTP header name",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n secret\r\n\r\n": "Obsolete line folding is unacceptable",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: secret\r\n\r\n": "Unsupported transfer coding",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: secret\r\n\r\n": "Unable to comply with expectation",
}


def answer(stack: Stack, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as sock:
        sock.sendall(data)
        return sock.makefile("rb").readline()


def test_each_malformed_request_is_one_line_that_says_what_is_wrong(stack: Stack) -> None:
    before = len(stack.log())
    for data in MALFORMED:
        assert answer(stack, data)[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5"), data
    lines = stack.wait_for(lambda: (new := stack.log()[before:].splitlines()) and len(new) >= len(MALFORMED) and new)
    assert [LINE.fullmatch(line)[1] for line in lines] == list(MALFORMED.values())


@pytest.fixture
def logger() -> Logger:
    return Logger(Config())


def test_an_errors_traceback_stays_and_the_query_goes(logger: Logger, caplog: pytest.LogCaptureFixture) -> None:
    logger.error_log.addHandler(caplog.handler)
    try:
        raise KeyError
    except KeyError:
        logger.exception("Error handling request %s %s", "GET", "/calls?cursor=secret")
    (record,) = caplog.records
    assert record.getMessage() == "Error handling request GET /calls" and record.exc_info
    assert record.levelno == logging.ERROR


def test_other_warnings_are_whole(logger: Logger, caplog: pytest.LogCaptureFixture) -> None:
    logger.error_log.addHandler(caplog.handler)
    logger.warning("Worker graceful timeout (pid:%s)", 7)
    assert caplog.messages == ["Worker graceful timeout (pid:7)"]
