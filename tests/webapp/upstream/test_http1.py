"""The parser of HTTP/1.1 answers: strict, and independent of how the bytes are split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.upstream.http1 import (
    MAX_HEAD,
    MAX_SIZE_LINE,
    AnswerBody,
    ChunkedBody,
    Malformed,
    SizedBody,
    body_of,
    parse_head,
    stays_open,
)

OK = b"HTTP/1.1 200 OK\r\n"


def head(*lines: bytes, start: bytes = OK):
    return parse_head(start + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


def read(body: AnswerBody, data: bytes, step: int = 1 << 20) -> bytes:
    """The content that a body decodes from these bytes, fed ``step`` at a time until it is done or broken."""
    got, at = b"", 0
    while at < len(data) and not (body.done or body.broken):
        got += body.feed(data[at : at + step])
        at += step
    body.rest += data[at:] if body.done else b""
    return got


def test_a_head_keeps_names_values_order_and_duplicates():
    found = head(b"X-Odd-Case:  spaced  out\t", b"vary: a", b"Vary: b", b"x-empty:", b"x-byte: \xa0\xe9\x85")
    assert (found.version, found.status, found.reason) == ("1", 200, "OK")
    assert found.headers == [
        ("X-Odd-Case", "spaced  out"), ("vary", "a"), ("Vary", "b"), ("x-empty", ""), ("x-byte", "\xa0\xe9\x85"),
    ]  # fmt: skip
    assert found.fields["vary"] == "a"


@pytest.mark.parametrize(
    ("start", "status", "reason"),
    [
        (b"HTTP/1.1 204\r\n", 204, ""),
        (b"HTTP/1.0 429 \r\n", 429, ""),
        (b"HTTP/1.1 999 Any Words\r\n", 999, "Any Words"),
    ],
)
def test_status_lines(start, status, reason):
    assert (head(start=start).status, head(start=start).reason) == (status, reason)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n", b"HTTP/1.2 200 OK\r\n\r\n", b"http/1.1 200 OK\r\n\r\n", b" HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n", b"HTTP/1.1 200 OK\n\r\n\r\n", b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 2\xb20 OK\r\n\r\n",
        b"HTTP/1.1 200 O\rK\r\n\r\n", b"HTTP/1.1 200OK\r\n\r\n",
    ],
)  # fmt: skip
def test_an_invalid_status_line_is_malformed(data):
    with pytest.raises(Malformed):
        parse_head(data)


@pytest.mark.parametrize(
    "line",
    [
        b"x-folded: a\r\n b", b"x-folded: a\r\n\tb", b" x-first: a", b"x-space : a", b"x name: a", b": a", b"x-bare",
        b"x-lf: a\nx-injected: 1", b"x-cr: a\rx-injected: 1", b"x\x00: a", b"x\xe9: a", b"\tx: a", b"x-lf: a\n",
    ],
)  # fmt: skip
def test_a_head_with_an_ambiguous_line_is_malformed(line):
    for lines in ([line], [b"x-a: 1", line, b"x-b: 2"]):
        with pytest.raises(Malformed):
            head(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 3", b"Content-Length: 4"), (b"Content-Length: 3", b"content-length: 3"),
        (b"Content-Length: 3, 3",), (b"Content-Length: +3",), (b"Content-Length: -3",), (b"Content-Length: 0x3",),
        (b"Content-Length: ",), (b"Content-Length: 3 3",), (b"Content-Length: \xb2",), (b"Content-Length: 1_0",),
        (b"Content-Length: " + b"9" * 19,), (b"Content-Length: 3", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 3"), (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: chunked, chunked",), (b"Transfer-Encoding: identity",), (b"Transfer-Encoding:",),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), (b"Transfer-Encoding: \x0bchunked",),
        (b"Transfer-Encoding: xchunked",),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_ambiguous_framing_is_malformed(lines, method):
    with pytest.raises(Malformed):
        body_of(head(*lines), method)


def test_chunks_in_http_1_0_are_malformed():
    with pytest.raises(Malformed):
        body_of(head(b"Transfer-Encoding: chunked", start=b"HTTP/1.0 200 OK\r\n"), "GET")


@pytest.mark.parametrize(
    ("method", "status", "line", "ended"),
    [
        ("HEAD", 200, b"Content-Length: 7", True), ("HEAD", 200, b"Transfer-Encoding: chunked", True),
        ("GET", 204, b"x: y", True), ("GET", 304, b"Content-Length: 7", True), ("GET", 200, b"Content-Length: 0", True),
        ("GET", 200, b"Content-Length: 7", False), ("GET", 200, b"Transfer-Encoding: Chunked", False),
        ("GET", 200, b"x: y", False),
    ],
)  # fmt: skip
def test_whether_there_is_a_body(method, status, line, ended):
    body = body_of(head(line, start=b"HTTP/1.1 %d X\r\n" % status), method)
    assert body.done is ended
    assert body.endless is (line == b"x: y" and not ended)


@pytest.mark.parametrize(
    ("start", "lines", "kept"),
    [
        (OK, [], True), (OK, [b"Connection: keep-alive"], True), (OK, [b"Connection: Close"], False),
        (OK, [b"Connection: x-hop, close"], False), (OK, [b"Connection: keep-alive", b"Connection: close"], False),
        (b"HTTP/1.0 200 OK\r\n", [b"Connection: keep-alive"], False),
    ],
)  # fmt: skip
def test_whether_the_connection_can_be_used_again(start, lines, kept):
    assert stays_open(head(*lines, start=start)) is kept


CHUNKS = b'5;a="b\x80"\r\nHello\r\n001 \r\n!\r\nA\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n'


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 1000])
def test_chunks_split_anywhere(step):
    body = ChunkedBody()
    assert read(body, CHUNKS + b"HTTP/1.1 200", step) == b"Hello!0123456789"
    assert body.done and not body.broken and body.rest == b"HTTP/1.1 200"


@given(st.lists(st.binary(min_size=1, max_size=300)), st.integers(1, 400), st.binary(max_size=20))
def test_any_content_encoded_in_chunks_is_decoded(pieces, step, after):
    data = b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    body = ChunkedBody()
    assert read(body, data + after, step) == b"".join(pieces)
    assert body.done and body.rest == after


def test_trailers_are_no_content_however_they_look():
    body = ChunkedBody()
    assert read(body, b"2\r\nab\r\n0\r\n", 10) == b"ab"
    assert body.feed(b"2\r\ncd\r\n") == b"" and not body.done
    assert body.feed(b"\r\n") == b"" and body.done and not body.rest


MALFORMED = [
    b"zz\r\n", b"+5\r\nHello\r\n", b"-1\r\n", b"0x5\r\nHello\r\n", b"1_0\r\n", b" 5\r\nHello\r\n", b"\r\n",
    b"5\nHello\r\n",
    b"5\r\nHello!\r\n", b"5\r\nHello\n", b"5\r\nHello5\r\n", b"f" * 16 + b"\r\n", b"5\r;\r\nHello\r\n", b"\xb5\r\n",
    b"0\r\nx: y\n", b"5;" + b"x" * MAX_SIZE_LINE + b"\r\nHello\r\n", b"5;" + b"x" * MAX_SIZE_LINE * 2,
    b"0\r\n" + b"x: y\r\n" * (MAX_HEAD // 6 + 1), b"0\r\n" + b"x" * (MAX_HEAD + 1),
]  # fmt: skip


@pytest.mark.parametrize("data", MALFORMED)
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_malformed_chunks_break_the_body_after_the_content_before_them(data, step):
    body = ChunkedBody()
    assert read(body, b"2\r\nab\r\n" + data, step).startswith(b"ab")
    assert body.broken and not body.done


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_chunks_that_arrive_alone_break_the_body_too(data):
    body = ChunkedBody()
    assert body.feed(b"2\r\nab\r\n") == b"ab"
    body.feed(data)
    assert body.broken and not body.done


@given(st.binary(max_size=200), st.integers(1, 50))
def test_no_bytes_raise_an_error_or_make_a_body_both_done_and_broken(data, step):
    body = ChunkedBody()
    read(body, data, step)
    assert not (body.done and body.broken)


def test_a_sized_body_ends_at_its_length_and_keeps_the_bytes_after_it():
    body = SizedBody(5)
    assert (body.feed(b"He"), body.done) == (b"He", False)
    assert (body.feed(b"llo!?"), body.done, body.rest) == (b"llo", True, b"!?")
