"""Headers both ways, also made-up ones: the listed ones are dropped or replaced, all others pass unchanged."""

from __future__ import annotations

import http.client
import tracemalloc
from collections.abc import Callable

import pytest
from fake_upstream import FakeUpstream, Request, reply
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stack import Stack

from webapp.gateway.headers import accept_encoding, answer_headers, request_headers
from webapp.server.requests import _key

TOKEN = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-!#$%&'*+.^`|~"  # names that gunicorn lets through: without _
HOPS = ["Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade"]  # fmt: skip
SENT_AWAY = [*HOPS, "Host", "Authorization", "Cookie", "Forwarded", "Expect", "OpenAI-Organization", "OpenAI-Project",
             "X-Forwarded-For", "X-FORWARDED-PROTO", "x-forwarded-x", "x-spendai-tags", "X-SpendAI-Any",
             "X-Real-IP", "CF-Connecting-IP", "CF-IPCountry", "True-Client-IP", "X-Client-IP", "Fastly-Client-IP",
             "X-Cluster-Client-IP", "Client-IP", "Referer", "Origin", "Via"]  # fmt: skip
KEPT_BACK = [*HOPS, "Set-Cookie", "Strict-Transport-Security", "Alt-Svc", "Server", "Date"]
names = st.text(TOKEN, min_size=1, max_size=20).map(lambda name: f"x-{name}")
values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30).map(
    str.strip
)
plain = st.dictionaries(names, values, max_size=6)
dropped = st.lists(st.sampled_from(SENT_AWAY), max_size=4, unique_by=str.lower)


def environ_of(headers: dict[str, str]) -> dict[str, str]:
    """As a WSGI server hands headers over."""
    return {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}


def lowered(headers: object) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


@given(plain, dropped)
def test_a_request_loses_the_listed_headers_and_no_other(kept, gone):
    listed = dict.fromkeys(gone, "x")
    sent = lowered(request_headers(environ_of(kept | listed), identity=False))
    stays = {name.lower(): value for name, value in kept.items()
        if not name.lower().startswith(("x-forwarded-", "x-spendai-"))}  # fmt: skip
    assert sorted(sent) == sorted(stays.items())


@given(plain, st.lists(names, max_size=3))
def test_headers_that_connection_names_end_here_both_ways(kept, named):
    kept = {name: value for name, value in kept.items() if name.lower() not in [n.lower() for n in named]}
    headers = kept | dict.fromkeys(named, "x") | {"Connection": "keep-alive , " + ", ".join(named).upper()}
    assert {n for n, _ in lowered(request_headers(environ_of(headers), identity=False))} == {n.lower() for n in kept
        if not n.lower().startswith(("x-forwarded-", "x-spendai-"))}  # fmt: skip
    assert {n for n, _ in lowered(answer_headers(headers.items(), resized=False))} == {n.lower() for n in kept}


def connection(n: int) -> None:
    answer_headers([("Connection", ",".join(f"{n}-{m}" for m in range(8000)))], resized=False)


@pytest.mark.parametrize(("read", "megabytes"), [
    (connection, 25),
    (lambda n: request_headers({"HTTP_CONNECTION": "", f"HTTP_X{n}" + "A" * 8000: ""}, identity=False), 6),
    (lambda n: _key(f"x{n}" + "a" * 8000), 6),
    (lambda n: accept_encoding(f"gzip;q={n}, " + "x" * 8000), 1),
], ids=["connection", "name sent on", "name read", "accept-encoding"])  # fmt: skip
def test_headers_that_are_always_other_ones_do_not_fill_the_memory(
    read: Callable[[int], object], megabytes: int
) -> None:
    tracemalloc.start()
    try:
        for n in range(35 if read is connection else 1000):
            read(n)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < megabytes * 2**20


@given(st.lists(st.tuples(names, values), max_size=8), st.lists(st.sampled_from(KEPT_BACK), max_size=3))
def test_an_answer_keeps_its_headers_in_order_duplicates_too(kept, gone):
    headers = kept + [(name, "x") for name in gone]
    assert answer_headers(headers, resized=False) == kept
    with_length = [("Content-Length", "7"), *headers]
    assert answer_headers(with_length, resized=False) == [("Content-Length", "7"), *kept]
    assert answer_headers(with_length, resized=True) == kept


@given(
    st.lists(st.sampled_from(["gzip", "br", "zstd;q=0.9", "deflate", "identity;q=0", "*", "GZIP;q=1", "x"]), max_size=6)
)
@example([])
def test_only_encodings_that_can_be_read_are_asked_for(wanted):
    environ = environ_of({"Accept-Encoding": " , ".join(wanted)})
    (asked,) = [v for n, v in request_headers(environ, identity=False) if n == "Accept-Encoding"]
    kept = [part for part in wanted if part.split(";")[0].lower() in ("gzip", "deflate", "identity")]
    assert asked.split(", ") == (kept or ["identity"])
    assert ("Accept-Encoding", "identity") in request_headers(environ, identity=True)
    assert request_headers({}, identity=False) == []


SDK = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "OpenAI/Python 2",
       "OpenAI-Beta": "assistants=v2", "X-Client-Request-Id": "mine", "X-Stainless-Retry-Count": "0"}  # fmt: skip


@given(plain)
def test_on_a_shared_key_a_request_sends_what_openais_sdks_send_and_nothing_else(other):
    kept = {name.lower(): value for name, value in other.items() if name.lower().startswith("x-stainless-")}
    sent = lowered(request_headers(environ_of(SDK | other | {"Range": "bytes=0-1"}), identity=False, shared_by="a"))
    assert dict(sent) == {name.lower(): value for name, value in SDK.items()} | kept


def test_the_same_idempotency_key_of_two_organizations_on_a_shared_key_is_not_the_same():
    environ = environ_of({"Idempotency-Key": "retry-1"})
    (first,), (again,), (other,) = (request_headers(environ, identity=False, shared_by=org) for org in ("a", "a", "b"))
    assert first == again != other
    assert request_headers(environ, identity=False) == [("Idempotency-Key", "retry-1")]


def test_on_a_shared_key_an_answer_does_not_tell_of_the_account():
    told = [("x-ratelimit-remaining-tokens", "9"), ("OpenAI-Organization", "acme"), ("openai-project", "proj_1")]
    kept = [("openai-version", "1"), ("retry-after", "3"), ("x-request-id", "r")]
    assert answer_headers([*told, *kept], resized=False, shared=True) == kept
    assert answer_headers([*told, *kept], resized=False) == [*told, *kept]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plain, plain, st.lists(st.tuples(names, values), max_size=4))
def test_over_the_wire_nothing_else_differs(stack: Stack, fake: FakeUpstream, sent, back, twice):
    unlike = ("x-forwarded-", "x-spendai-", "x-request-id")
    sent = {n: v for n, v in sent.items() if not n.lower().startswith(unlike)}
    sent = {n: v for n, v in sent.items() if [m.lower() for m in sent].count(n.lower()) == 1}
    answered = [(n, v) for n, v in [*back.items(), *twice, *twice] if not n.lower().startswith(unlike)]
    fake.queue("/v1/models", reply(200, [("content-type", "text/plain"), *answered], b"ok"))
    conn = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    conn.request("GET", "/api/v1/proxy/models", headers={"Authorization": f"Bearer {stack.key('olga')}"} | {
        n: v.encode("latin-1") for n, v in sent.items()})  # fmt: skip
    got = conn.getresponse()
    assert (got.status, got.read()) == (200, b"ok")
    ours = {"date", "server", "connection", "x-spendai-call-id", "content-length"}
    assert [(n, v) for n, v in got.getheaders() if n.lower() not in ours] == [("content-type", "text/plain"), *answered]
    conn.close()
    request: Request = fake.requests[-1]
    theirs = {"host", "authorization", "accept-encoding", "x-spendai-via"}
    assert sorted((n.lower(), v) for n, v in request.headers if n.lower() not in theirs) == sorted(
        (n.lower(), v) for n, v in sent.items()
    )


def test_request_headers_that_come_twice_are_joined_and_names_with_underscores_dropped(
    stack: Stack, fake: FakeUpstream
):
    conn = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    conn.putrequest("GET", "/api/v1/proxy/models", skip_accept_encoding=True)
    for name, value in [("Authorization", f"Bearer {stack.key('olga')}"), ("X-Twice", "a"), ("x-twice", "b"),
                        ("X_Authorization", "Bearer x"), ("OpenAI_Organization", "org-x")]:  # fmt: skip
        conn.putheader(name, value)
    conn.endheaders()
    conn.getresponse().read()
    conn.close()
    got = dict(lowered(fake.requests[-1].headers))
    assert got["x-twice"] == "a,b"
    assert not {name for name in got if "_" in name or "organization" in name}


@pytest.mark.parametrize("value", ["a\x00b", "a\x7fb", "a\x1bb"])
def test_an_answers_header_with_control_characters_is_left_out_and_the_answer_passes(stack, fake, value):
    fake.queue("/v1/models", reply(200, [("x-bad", value), ("x-good", "1")], b"ok"))
    conn = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    conn.request("GET", "/api/v1/proxy/models", headers={"Authorization": f"Bearer {stack.key('olga')}"})
    got = conn.getresponse()
    assert (got.status, got.read(), got.getheader("x-good"), got.getheader("x-bad")) == (200, b"ok", "1", None)
    conn.close()
