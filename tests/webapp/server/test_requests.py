"""Our reader gives the same request as gunicorn's parser, or leaves the request to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webapp.server.requests import Plain, Reader, trusted_proxies

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
LINES = [
    "POST /x HTTP/1.1", "GET /x HTTP/1.1", "GET /a%20b%2f%e9?c=%20d?e HTTP/1.1", "GET / HTTP/1.0",
    "GET //x/y?z HTTP/1.1", "BREW /x HTTP/1.1",
    "GET http://x/y HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /x#y HTTP/1.1", "get /x HTTP/1.1", "GET  /x HTTP/1.1",
    "GET /x HTTP/1.1 ", "GET /\xe9 HTTP/1.1", "GET /x? HTTP/1.1", "GET /x HTTP/2.0", "CONNECT x:1 HTTP/1.1", "",
    "GET /[x]:y;z=@a HTTP/1.1", "GET /x\tHTTP/1.1", "GET /\x00 HTTP/1.1", "HEAD /x?y#z HTTP/1.1",
]  # fmt: skip
odd = st.sampled_from(ODD)
names = st.sampled_from(NAMES) | st.text(st.characters(max_codepoint=255), max_size=5)
values = st.sampled_from(VALUES) | st.text(st.characters(max_codepoint=255), max_size=20)
line = st.builds("{}{}:{}{}{}{}".format, names, odd, odd, values, odd, st.just("")) | st.builds(
    "{}: {}".format, names, values
)


CLIENT, SERVER = ("127.0.0.1", 1), ("127.0.0.1", 8000)
CONFIG = Config()
OF_THE_SERVER = ("gunicorn.socket", "wsgi.early_hints", "wsgi.errors", "wsgi.input", "wsgi.multithread")
REST = b"GET /next HTTP/1.1\r\n\r\n"


def read(reader: Callable[..., Any], data: list[bytes]) -> tuple[Any, ...]:
    """What a reader makes of bytes: environ, body, whether to close, bytes left, version, scheme; or its error."""
    unreader = IterUnreader(data)
    try:
        request = reader(CONFIG, unreader, CLIENT)
        if isinstance(request, Plain):
            environ = request.environ(Reader(CONFIG).base, CLIENT, SERVER)
        else:
            _, environ = wsgi.create(request, Wire(), CLIENT, SERVER, CONFIG)
        body = request.body.read()
    except (Exception, StopIteration) as error:
        return type(error), str(error)
    kept = {key: value for key, value in environ.items() if key not in OF_THE_SERVER}
    left = b""
    while piece := unreader.read():
        left += piece
    return kept, body, request.should_close(), left, request.version, request.scheme


class Wire:
    """A socket that accepts everything."""

    def send(self, data: bytes) -> int:
        return len(data)


@settings(max_examples=600, deadline=None)
@given(st.lists(line, max_size=6), st.sampled_from(LINES), st.sampled_from((0, 1, 5, 9)), st.integers(1, 400))
@example(["Host: x", "x-a: 1", "X-A: 2"], LINES[0], 0, 400)
@example(["Host: x", "Host: y"], LINES[0], 0, 400)
@example(["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"], LINES[0], 0, 400)
@example(["Expect: 100-continue"], LINES[0], 0, 400)
@example(["Expect: 200-ok"], LINES[0], 0, 400)
@example(["Content-Length: 5", "Transfer-Encoding: chunked"], LINES[0], 5, 400)
@example(["Content-Length: 5", "Connection: close"], LINES[0], 5, 400)
@example(["Content-Length: 9"], LINES[0], 5, 400)
@example(["Content-Length: 05"], LINES[0], 5, 400)
@example(["Content-Length: +5"], LINES[0], 5, 400)
@example(["Content-Length: 5"], LINES[0], 9, 25)
@example(["Connection: close, x-a"], LINES[0], 0, 400)
@example(["x" * 100 + ": " + "y" * 9000], LINES[0], 0, 400)
@example(["Host: x"], "GET /" + "y" * 8190 + " HTTP/1.1", 0, 10_000)
@example([f"x-{n}: y" for n in range(101)], LINES[0], 0, 400)
def test_every_request_is_read_as_gunicorn_reads_it(lines, first, sent, cut):
    data = "\r\n".join([first, *lines, "", ""]).encode("latin-1", "replace") + b"12345678"[:sent] + REST
    pieces = [data[:cut], data[cut:]] if cut < len(data) else [data]
    assert read(Reader(CONFIG), pieces) == read(Request, pieces)


@pytest.mark.parametrize(
    "text", ["x-a: 1", "Host: x\r\nContent-Type: application/json; charset=utf-8\r\nx-b: a  b\r\nContent-Length: 3"]
)
def test_plain_requests_are_not_read_by_gunicorns_parser(text, monkeypatch):
    monkeypatch.setattr("webapp.server.requests.Request", lambda *args: pytest.fail("read by gunicorn's parser"))
    words, body, *_ = read(Reader(CONFIG), [f"POST /x?y=1 HTTP/1.1\r\n{text}\r\n\r\nabc".encode()])
    assert body == (b"abc" if "Length" in text else b"")
    assert words["PATH_INFO"] == "/x" and words["QUERY_STRING"] == "y=1" and words["RAW_URI"] == "/x?y=1"


@pytest.mark.parametrize(
    ("setting", "peer", "scheme"),
    [
        ("127.0.0.1", "127.0.0.1", "https"), ("127.0.0.1", "::ffff:127.0.0.1", "https"),
        ("10.0.0.0/8, ::1", "::ffff:10.1.2.3", "https"), ("10.0.0.0/8, ::1", "::1", "https"),
        ("127.0.0.1", "::ffff:192.0.2.1", "http"), ("10.0.0.0/8", "::ffff:11.0.0.1", "http"),
        ("*", "192.0.2.1", "https"), (None, "127.0.0.1", "http"), (None, "::1", "http"),
    ],
)  # fmt: skip
def test_a_trusted_ipv4_proxy_is_trusted_on_a_socket_of_both_kinds_too(
    setting: str | None, peer: str, scheme: str
) -> None:
    cfg = Config()
    cfg.set("forwarded_allow_ips", trusted_proxies(setting))
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n"
    assert Request(cfg, IterUnreader(iter([head])), (peer, 4711), 1).scheme == scheme
