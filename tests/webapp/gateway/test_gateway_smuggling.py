"""Requests that two servers could read differently: refused, or sent on as one request that we have seen whole."""

from __future__ import annotations

import json
import socket

import pytest
from fake_upstream import FakeUpstream, default_answer
from stack import Stack

BODY = b'{"model":"gpt-4o-mini"}'
HIDDEN = b"GET /api/v1/proxy/models/hidden HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def lone(stack: Stack):
    """An upstream of this file's own, so that whatever arrives came from these requests; behind Lou's key."""
    with FakeUpstream(default_answer) as upstream:
        stack.found_with_key("lou", "Lone", upstream.url, "sk-lou")
        yield upstream


def talk(stack: Stack, request: bytes) -> bytes:
    """Send these bytes, close our side, read whatever comes back."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as sock:
        sock.sendall(request.replace(b"KEY", stack.key("lou").encode()))
        sock.shutdown(socket.SHUT_WR)
        try:
            return b"".join(iter(lambda: sock.recv(65536), b""))
        except ConnectionResetError:
            return b""


def post(*headers: bytes, body: bytes = BODY, target: bytes = b"/api/v1/proxy/chat/completions") -> bytes:
    head = [b"POST %s HTTP/1.1" % target, b"Host: x", b"Authorization: Bearer KEY", b"Content-Type: application/json"]
    return b"\r\n".join([*head, *headers, b"", body])


LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
AMBIGUOUS = {
    "two lengths": post(LENGTH, b"Content-Length: 5"),
    "two equal lengths": post(LENGTH, LENGTH),
    "a list of lengths": post(b"Content-Length: 23, 23"),
    "a length with a sign": post(b"Content-Length: +23"),
    "a negative length": post(b"Content-Length: -1"),
    "a length in hex": post(b"Content-Length: 0x17"),
    "a length in Arabic digits": post("Content-Length: ٢٣".encode()),
    "length and chunked": post(LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN),
    "chunked and length": post(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\n" + HIDDEN),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=CHUNKED),
    "chunked, then another": post(b"Transfer-Encoding: chunked, identity", body=CHUNKED),
    "almost chunked": post(b"Transfer-Encoding: xchunked", body=CHUNKED),
    "chunked behind a tab": post(b"Transfer-Encoding:\x0bchunked", body=CHUNKED),
    "gzip, chunked": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKED),
    "chunked in two headers": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNKED),
    "a space before the colon": post(LENGTH, b"Transfer-Encoding : chunked"),
    "a folded header": post(LENGTH, b"X-Folded: a\r\n b"),
    "a folded first header": post(b" X-Folded: a", LENGTH),
    "a carriage return in a value": post(LENGTH, b"X-Bad: a\rX-Injected: 1"),
    "a line feed in a value": post(LENGTH, b"X-Bad: a\nX-Injected: 1"),
    "a zero byte in a value": post(LENGTH, b"X-Bad: a\x00b"),
    "a name with a space": post(LENGTH, b"X Bad: 1"),
    "a header without a colon": post(LENGTH, b"X-Bad"),
    "a chunk that is longer than it says": post(b"Transfer-Encoding: chunked", body=b"1\r\n" + CHUNKED),
    "a chunk size with a sign": post(b"Transfer-Encoding: chunked", body=b"+17\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk size in underscores": post(b"Transfer-Encoding: chunked", body=b"1_7\r\n%s\r\n0\r\n\r\n" % BODY),
    "HTTP/0.9": b"GET /api/v1/proxy/models\r\n\r\n",
    "HTTP/2 by its first words": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_can_be_read_two_ways_never_becomes_two_requests_or_half_of_one(
    stack: Stack, lone: FakeUpstream, name: str
):
    before = len(lone.requests)
    answer = talk(stack, AMBIGUOUS[name])
    arrived = lone.requests[before:]
    assert all(b"hidden" not in request.target.encode() for request in arrived), "a request inside a body was sent"
    for request in arrived:
        names = [key.lower() for key, _ in request.headers]
        assert "x-injected" not in names and len(names) == len(set(names))
        assert not {"content-length", "transfer-encoding"} <= set(names)
        assert request.body in (BODY, b"")
        assert len(arrived) == 1
    if not arrived and answer:
        assert answer.split(b" ")[1][:1] in (b"4", b"5"), answer[:200]
        refusal(answer)


def refusal(answer: bytes) -> str:
    """The code of an error in OpenAI's shape, of the length that its head tells."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in head and b"\r\nContent-Length: %d" % len(body) in head
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"]


@pytest.mark.parametrize(("status", "code", "request_"), [
    (400, "malformed_request", b"GET /api/v1/proxy/models?secret=KEY HTTP/1.1 secret\r\n\r\n"),
    (400, "malformed_request", b"get /secret HTTP/1.1\r\n\r\n"),
    (400, "malformed_request", post(b"Content-Length: KEY")),
    (400, "malformed_request", post(LENGTH, b"secret KEY")),
    (414, "headers_too_large", post(LENGTH, target=b"/api/v1/proxy/models?secret=" + 9000 * b"x")),
    (417, "malformed_request", post(LENGTH, b"Expect: secret")),
    (431, "headers_too_large", post(LENGTH, b"Secret: KEY" + 9000 * b"x")),
    (431, "headers_too_large", post(LENGTH, *[b"Secret-%d: KEY" % number for number in range(120)])),
])  # fmt: skip
def test_what_is_no_valid_http_gets_an_error_in_openais_shape_that_quotes_nothing(
    stack: Stack, lone: FakeUpstream, status: int, code: str, request_: bytes
):
    answer = talk(stack, request_)
    assert (int(answer.split(b" ")[1]), refusal(answer)) == (status, code)
    assert b"secret" not in answer.lower() and stack.key("lou").encode() not in answer


def get(target: bytes, *headers: bytes) -> bytes:
    head = [b"GET %s HTTP/1.1" % target, b"Host: x", b"Authorization: Bearer KEY", b"Connection: close"]
    return b"\r\n".join([*head, *headers, b"", b""])


TARGETS = [
    b"http://127.0.0.1:1/v1/models", b"http://evil.test@x/api/v1/proxy/models", b"http:///api/v1/proxy/models",
    b"//evil.test/api/v1/proxy/models", b"ftp://x/api/v1/proxy/models",
    b"/api/v1/proxy/../../../v1/organization/costs", b"/api/v1/proxy/models/../organization/costs",
    b"/api/v1/proxy/%2e%2e/organization/costs", b"/api/v1/proxy/files/..%2f..%2forganization",
    b"/api/v1/proxy/v1/../organization/costs", b"/api/v1/proxy//../organization/costs", b"/api/v1/proxy/v1%2fmodels",
    b"/api/v1/proxy//evil.test/models", b"/api/v1/proxy/openai/deployments/../models/models",
    b"/api/v1/proxy/openai/deployments/%2e%2e/models", b"/api/v1/proxy/openai/deployments/a%2fb/models",
    b"/api/v1/proxy/v1/./models", b"/api/v1/proxy/v1//../models", b"/api/v1/proxy/models/.",
    b"/api/v1/proxy/models/..//", b"/api/v1/proxy/openai/deployments//models/",
    b"//api/v1/proxy/../proxy/models", b"/api//v1/./proxy/models",
    b"/api/v1/proxy/models\\..\\x", b"/api/v1/proxyx/models", b"/api/v1/proxy@evil.test/models",
    b"/api/v1/proxy:80/models", b"/api/v1/proxy/models?\x7f",
    b"/api/v1/proxy/models/x%0d%0aX-Injected:1", b"/api/v1/proxy/models/x\x00y", b"*", b"evil.test:443",
    b"/api/v1/%70roxy/models", b"/api/v1/proxy/models#/../x", b"/api/v1/proxy/models?x=\xc3\xa9",
    b"/api/v1/proxy/models;x=1", b"/api/v1/proxy/http://evil.test/v1/models",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_no_target_leaves_the_base_url(stack: Stack, lone: FakeUpstream, target: bytes):
    before = len(lone.requests)
    answer = talk(stack, get(target))
    assert lone.requests[before:] == []
    assert not answer or answer.split(b" ")[1][:1] in (b"3", b"4"), answer[:200]


@pytest.mark.parametrize(
    "start", [b"http://x", b"HTTPS://spend.example:443", b"http://[::1]:8000", b"http://evil.test"]
)
def test_a_target_with_scheme_and_host_is_the_call_that_its_path_says(stack: Stack, lone: FakeUpstream, start: bytes):
    before = len(lone.requests)
    talk(stack, get(start + b"/api/v1/proxy/models?limit=%2F"))
    assert [request.target for request in lone.requests[before:]] == ["/v1/models?limit=%2F"]
    assert talk(stack, get(start + b"/healthz")).startswith(b"HTTP/1.1 200 ")
    assert talk(stack, get(start + b"?x=1")).startswith(b"HTTP/1.1 302 ")
    assert refusal(talk(stack, get(start + b"/v1/models"))) == "wrong_base_url"
    assert len(lone.requests) == before + 1


def test_the_host_of_such_a_target_counts_and_not_the_header(stack: Stack):
    form = get(b"/projects", b"Origin: http://spend.example", b"Content-Length: 0").replace(b"GET", b"POST")
    assert talk(stack, form).startswith(b"HTTP/1.1 403 ")
    assert talk(stack, form.replace(b" /", b" http://spend.example/")).startswith(b"HTTP/1.1 302 ")


@pytest.mark.parametrize("headers", [
    (b"Host: evil.test",), (b"X-Forwarded-Host: evil.test", b"X-Forwarded-Proto: https"),
    (b"Forwarded: host=evil.test",), (b"X-HTTP-Method-Override: DELETE",),
    (b"X-Original-URL: /v1/organization/costs", b"X-Rewrite-URL: /v1/organization/costs"),
])  # fmt: skip
def test_no_header_changes_where_a_call_goes(stack: Stack, lone: FakeUpstream, headers: tuple[bytes, ...]):
    before = len(lone.requests)
    talk(stack, get(b"/api/v1/proxy/models", *headers))
    for request in lone.requests[before:]:
        assert (request.method, request.target, request.header("host")) == ("GET", "/v1/models", lone.origin[7:])
        assert [key.lower() for key, _ in request.headers].count("host") == 1


def test_two_requests_on_one_connection_are_two_and_the_rest_of_a_refused_body_is_none(
    stack: Stack, lone: FakeUpstream
):
    before = len(lone.requests)
    refused = post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN, target=b"/api/v1/proxy/unknown")
    answer = talk(stack, refused + get(b"/api/v1/proxy/models"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert [request.target for request in lone.requests[before:]] in ([], ["/v1/models"])
    two = talk(stack, post(LENGTH) + get(b"/api/v1/proxy/models"))
    assert two.count(b"x-spendai-call-id") == 2
    assert [request.target for request in lone.requests[-2:]] == ["/v1/chat/completions", "/v1/models"]
    assert json.loads(lone.requests[-2].body) == json.loads(BODY)
