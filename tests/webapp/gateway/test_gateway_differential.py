"""The same request sent to the upstream directly and through the proxy, for every operation: no byte differs.

Requests are generated (the seed is fixed); the upstream's answer follows from what it got, so any difference on the way
in shows on the way out too.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import random
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fake_replies import Reply, Wire
from fake_upstream import FakeUpstream, Request
from stack import Stack

from webapp.gateway.routes import ROUTES, Route

FORWARDED = [route for route in ROUTES if route.forwarded != "never"]
HOP = {"connection", "transfer-encoding", "date", "server", "keep-alive", "x-spendai-call-id"}
REPLACED = {"host", "authorization", "connection", "x-spendai-via"}
ID_CHARS = "abcXYZ019-_.:~@!$&'()*+,="
METHODS = [("GET", route) for route in FORWARDED if route.method == "GET"]
REQUESTS = [(route.method, route) for route in FORWARDED] + [("HEAD", route) for _, route in METHODS]


def answer(request: Request) -> Reply:
    """An answer made from the request, so that a difference between two requests shows in the answers."""
    kept = sorted((k.lower(), v) for k, v in request.headers if k.lower() not in REPLACED)
    told = repr((request.method, request.target, kept, request.body)).encode()
    rng = random.Random(hashlib.sha256(told).digest())
    status = rng.choice([200, 200, 200, 201, 206, 302, 400, 404, 429, 500, 503])
    headers = [("x-request-id", f"req_{rng.random()}"), ("x-ratelimit-remaining-tokens", "7"), ("vary", "a"),
               ("vary", "b"), ("x-Odd-Case", "spaced  out"), ("openai-processing-ms", "3")]  # fmt: skip
    if status == 302:
        headers.append(("location", "/v1/elsewhere?x=1"))
    body = rng.choice([b"", rng.randbytes(70_000), b'{"id": "x_1", "object": "list", "usage": {"n": 1}}',
                       b'data: {"type":"thread.run.created"}\r\n\r\n: c\n\ndata: [DONE]\n\n'])  # fmt: skip
    kind = {b"data:": "text/event-stream", b'{"id"': "application/json; charset=utf-8", b"": "text/plain"}.get(body[:5])
    headers.append(("content-type", kind or "application/octet-stream"))
    if body and rng.random() < 0.3 and "gzip" in (request.header("accept-encoding") or ""):
        body = gzip.compress(body, mtime=0)
        headers.append(("content-encoding", "gzip"))
    pieces = [body[at : at + 30_000] for at in range(0, len(body), 30_000)]
    return _sent(status, headers, pieces, chunked=rng.random() < 0.5, bare=request.method == "HEAD")


def _sent(status: int, headers: list[tuple[str, str]], pieces: list[bytes], *, chunked: bool, bare: bool) -> Reply:
    def write(wire: Wire) -> None:
        framing = ("transfer-encoding", "chunked") if chunked else ("content-length", str(sum(map(len, pieces))))
        wire.head(status, [*headers, framing])
        for piece in [] if bare else pieces:
            wire.chunk(piece) if chunked else wire.send(piece)
        if chunked and not bare:
            wire.send(b"0\r\nx-trailer: dropped\r\n\r\n")

    return write


def request_for(
    method: str, route: Route, rng: random.Random
) -> tuple[str, dict[str, str], bytes | Iterator[bytes] | None]:
    """Path with query, headers and body of one request; a list of pieces is sent chunked."""
    path = re.sub(r"{\w+}", lambda _: "i" + "".join(rng.choices(ID_CHARS, k=rng.randint(0, 30))), route.path)
    query = rng.choice(["", "?limit=2&after=x", "?include[]=a&include[]=b&x=%7E+%20", "?beta=true", "?", "?a=/../..//"])
    headers = {"User-Agent": "diff/1", "X-Stainless-Retry-Count": str(rng.randint(0, 9)), "OpenAI-Beta": "x=v2",
               "Accept-Encoding": rng.choice(["gzip", "identity", "gzip, deflate"]), "Accept": "*/*"}  # fmt: skip
    if rng.random() < 0.3:
        headers |= {"Range": "bytes=0-99", "If-None-Match": '"x"', "Idempotency-Key": "k"}
    if method != "POST":
        return path + query, headers, None
    if "multipart/form-data" in route.request_types and rng.random() < 0.7:
        headers["Content-Type"] = 'multipart/form-data; boundary="b b"'
        body = b'--b b\r\nContent-Disposition: form-data; name="file"; filename="\xc3\xbc"\r\n\r\n%s\r\n--b b--\r\n'
        body %= rng.randbytes(100_000)
    else:
        headers["Content-Type"] = rng.choice(
            ["application/json", "application/json; charset=utf-8", "application/octet-stream"]
        )
        body = rng.choice([b"", b"{}", b'{"file_id": "f", "file_id": "g"}', b'{ "model":"m", "x":[-0.0, "\\ud8"] }',
                           rng.randbytes(50), b'{"stream":true, "stream_options":{"include_usage":true}}'])  # fmt: skip
    if body and rng.random() < 0.3:
        headers["Transfer-Encoding"] = "chunked"
        return path + query, headers, iter([body[:7], body[7:]])
    return path + query, headers | {"Content-Length": str(len(body))}, body


@pytest.fixture(scope="module")
def mirror(stack: Stack) -> Iterator[FakeUpstream]:
    """An upstream that answers from what it got, behind an organization with a key of its own: Mia's."""
    with FakeUpstream(answer) as upstream:
        stack.found_with_key("mia", "Mirror", upstream.url, "sk-mia")
        yield upstream


def exchange(base: str, key: str, method: str, request: tuple) -> tuple[int, str, list[tuple[str, str]], bytes]:
    parts = urlsplit(base)
    conn = http.client.HTTPConnection(parts.netloc, timeout=20)
    target, headers, body = request
    conn.request(method, parts.path + target, body, headers | {"Authorization": f"Bearer {key}"}, encode_chunked=True)
    got = conn.getresponse()
    kept = [(name.lower(), value) for name, value in got.getheaders() if name.lower() not in HOP]
    content = got.read()
    conn.close()
    return got.status, got.reason, kept, content


@pytest.mark.parametrize(("method", "route"), REQUESTS, ids=lambda v: v if isinstance(v, str) else v.path)
def test_no_byte_differs(stack: Stack, mirror: FakeUpstream, method: str, route: Route):
    for seed in range(2):
        before = len(mirror.requests)
        wanted = [request_for(method, route, random.Random(f"{method} {route.path} {seed}")) for _ in range(2)]
        direct = exchange(mirror.url, "sk-direct", method, wanted[0])
        through = exchange(stack.proxy, stack.key("mia"), method, wanted[1])
        first, second = mirror.requests[before:]
        assert (second.method, second.target, second.body) == (first.method, first.target, first.body)
        sent = [sorted((k.lower(), v) for k, v in r.headers if k.lower() not in REPLACED) for r in (first, second)]
        assert sent[0] == sent[1]
        assert second.header("authorization") == "Bearer sk-mia"
        assert through == direct
    row = stack.conn.execute("select * from public.usage_logs order by started_at desc limit 1").fetchone()
    assert (row["endpoint"], row["method"], row["state"]) == (f"/v1{route.path}", method, "settled")
    assert row["cost_status"] in ("error", *({route.metered} if route.metered == "free" else {"no_usage", "free"}))
