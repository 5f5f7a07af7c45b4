"""The short way through a request's head gives what gunicorn's own gives, or is not taken."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request as Original
from gunicorn.http.unreader import IterUnreader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webapp.incoming import Request

ODD = [
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\x00",
    "\x7f",
    "\xa0",
    "\xe9",
    ":",
    "_",
    "x",
    "\x0b",
    "\x85",
    "\r\n ",
    "\r\n\t",
]
NAMES = ["Host", "host", "Content-Type", "Expect", "X-Forwarded-Proto", "X_Forwarded_Proto", "Script_Name", "x-a",
         "X-A", "", "Content-Length", "Transfer-Encoding", "Connection", "a b", "x!", "TE"]  # fmt: skip
VALUES = [
    "x",
    "1",
    "",
    "https",
    "http",
    "100-continue",
    "keep-alive",
    "chunked",
    " a  b ",
    "ü",
    "a\tb",
    "0",
    "a:b",
    "\x7f",
]
odd = st.sampled_from(ODD)
names = st.sampled_from(NAMES) | st.text(st.characters(max_codepoint=255), max_size=5)
values = st.sampled_from(VALUES) | st.text(st.characters(max_codepoint=255), max_size=20)
line = st.builds("{}{}:{}{}{}{}".format, names, odd, odd, values, odd, st.just("")) | st.builds(
    "{}: {}".format, names, values
)


def read(kind: type[Original], head: bytes) -> object:
    """What this reader makes of a head, or the error it ends in."""
    config = Config()
    try:
        request = kind(config, IterUnreader([head]), ("127.0.0.1", 1))
    except Exception as error:
        return type(error), str(error)
    return request.headers, request.scheme, request._expected_100_continue, type(request.body.reader), request.uri


@settings(max_examples=400, deadline=None)
@given(st.lists(line, max_size=6))
@example(["Host: x", "x-a: 1", "X-A: 2"])
@example(["Host: x", "Host: y"])
@example(["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"])
@example(["Expect: 100-continue"])
@example(["Expect: 200-ok"])
@example(["x" * 100 + ": " + "y" * 9000])
@example([f"x-{n}: y" for n in range(101)])
def test_every_head_is_read_as_gunicorn_reads_it(lines):
    head = "\r\n".join(["GET /x HTTP/1.1", *lines, "", ""]).encode("latin-1", "replace")
    assert read(Request, head) == read(Original, head)


@pytest.mark.parametrize("text", ["x-a: 1", "Host: x\r\nContent-Type: application/json; charset=utf-8\r\nx-b: a  b"])
def test_plain_heads_take_the_short_way(text, monkeypatch):
    monkeypatch.setattr(Original, "parse_headers", lambda *args: pytest.fail("the long way"))
    headers, *_ = read(Request, f"GET /x HTTP/1.1\r\n{text}\r\n\r\n".encode())
    assert [name for name, _ in headers] == [line.split(":")[0].upper() for line in text.split("\r\n")]
