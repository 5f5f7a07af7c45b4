"""The fake upstream itself: what tests rely on when they blame the proxy."""

from __future__ import annotations

import http.client
import socket
import threading

import httpx
import openai
import pytest
from fake_upstream import FakeUpstream, cut_off, hang, raw, reply, reply_json, reply_sse, reset, truncate
from websockets.sync.client import connect


@pytest.fixture
def upstream():
    with FakeUpstream() as server:
        yield server


def sdk(upstream, **options):
    return openai.OpenAI(base_url=upstream.url, api_key="sk-test", max_retries=0, **options)


def say(upstream, data: bytes) -> bytes:
    """Bytes to the server, everything it answers until it or our patience ends."""
    with socket.create_connection(("127.0.0.1", int(upstream.origin.rpartition(":")[2])), timeout=10) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_the_openai_sdk_understands_its_default_answers(upstream):
    client = sdk(upstream)
    hello = [{"role": "user", "content": "hi"}]
    assert client.chat.completions.create(model="gpt-4o-mini", messages=hello).usage.total_tokens == 29
    options = {"include_usage": True}
    *_, last = client.chat.completions.create(model="gpt-4o-mini", messages=hello, stream=True, stream_options=options)
    assert (last.usage.prompt_tokens, last.choices) == (19, [])
    assert client.responses.create(model="gpt-5.4", input="hi").output_text.startswith("Hello!")
    with client.responses.stream(model="gpt-5.4", input="hi") as stream:
        assert stream.get_final_response().usage.total_tokens == 123
    assert client.embeddings.create(model="text-embedding-3-small", input="hi").data[0].embedding == [1.0, 2.0, 3.0]


def test_it_journals_requests_exactly_as_they_came(upstream):
    say(upstream, b"PUT /v1/x?a=%7e&b[]=1 HTTP/1.1\r\nHost: h\r\nX-B: 2\r\nx-a:1\r\nContent-Length: 3\r\n\r\n\x00\xffz")
    (request,) = upstream.requests
    assert (request.method, request.target, request.body) == ("PUT", "/v1/x?a=%7e&b[]=1", b"\x00\xffz")
    assert request.headers == [("Host", "h"), ("X-B", "2"), ("x-a", "1"), ("Content-Length", "3")]


def test_it_reads_chunked_bodies_and_says_continue(upstream):
    head = b"POST /v1/y HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    answer = say(upstream, head + b'3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\n')
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")
    assert upstream.requests[0].body == b'{"a":1}'


def test_scripted_replies_come_once_each_and_connections_stay_open(upstream):
    upstream.queue("/v1/models", reply(429, [("Retry-After", "7")], b"no"), reply(body=b"yes", chunked=True))
    connection = http.client.HTTPConnection(upstream.origin.removeprefix("http://"), timeout=10)
    seen = []
    for _ in range(3):
        connection.request("GET", "/v1/models")
        answer = connection.getresponse()
        seen.append((answer.status, answer.read()[:3]))
    connection.close()
    assert seen == [(429, b"no"), (200, b"yes"), (404, b'{"e')]
    assert upstream.connections == 1
    upstream.wait(lambda requests: [request.outcome for request in requests] == ["answered"] * 3)


def test_a_route_sees_the_request():
    with FakeUpstream(lambda request: reply_json({"saw": request.json()})) as upstream:
        assert say(upstream, b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").endswith(b'{"saw": {}}')


@pytest.mark.parametrize("trouble", [reset(), truncate(b'{"a":'), raw(b"\x00\x01garbage"), cut_off([b"data: x\n\n"])])
def test_broken_answers_break_the_client(upstream, trouble):
    upstream.queue("/v1/chat/completions", trouble)
    with pytest.raises(openai.APIConnectionError):
        sdk(upstream).chat.completions.create(model="m", messages=[])


def test_a_cut_off_stream_gives_its_first_events_then_fails(upstream):
    upstream.queue("/v1/chat/completions", cut_off([b'data: {"choices":[],"id":"x"}\n\n'], reset=True))
    stream = sdk(upstream).chat.completions.create(model="m", messages=[], stream=True)
    assert next(iter(stream)).id == "x"
    with pytest.raises((openai.APIConnectionError, httpx.TransportError)):
        list(stream)


def test_a_hanging_answer_ends_with_the_server(upstream):
    upstream.queue("/v1/chat/completions", hang())
    with pytest.raises(openai.APITimeoutError):
        sdk(upstream, timeout=0.3).chat.completions.create(model="m", messages=[])


def test_gates_let_a_test_decide_when_each_piece_goes_out(upstream):
    gates = [threading.Event(), threading.Event()]
    upstream.queue("/v1/models", reply_sse([b"one", b"two"], gates=gates))
    connection = http.client.HTTPConnection(upstream.origin.removeprefix("http://"), timeout=10)
    connection.request("GET", "/v1/models")
    gates[0].set()
    answer = connection.getresponse()
    assert answer.read(3) == b"one"
    assert upstream.requests[0].outcome == ""
    gates[1].set()
    assert answer.read() == b"two"
    upstream.wait(lambda requests: requests[0].outcome == "answered")
    connection.close()


def test_a_websocket_is_served_on_the_same_port(upstream):
    upstream.script("/v1/responses", lambda ws: ws.send(ws.recv()))
    with connect(upstream.url.replace("http", "ws") + "/responses?a=b", subprotocols=["x", "realtime"]) as ws:
        ws.send("over there")
        assert (ws.recv(timeout=10), ws.subprotocol) == ("over there", "realtime")
    assert upstream.requests[0].target == "/v1/responses?a=b"
    assert sdk(upstream).responses.create(model="gpt-5.4", input="hi").output_text
