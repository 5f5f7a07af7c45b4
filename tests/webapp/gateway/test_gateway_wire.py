"""The wire: what the client and OpenAI see of us, byte for byte, compared with talking to the upstream directly."""

from __future__ import annotations

import gzip
import json
import socket
from threading import Event

import pytest
import requests
from fake_upstream import FakeUpstream, Request, cut_off, reply, reply_json, reply_sse, truncate
from stack import Stack

from webapp.gateway.loops import mark_of

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Grüße 👋"}]}
OURS = {"x-spendai-call-id"}
HOPS = {"connection", "transfer-encoding", "date", "server", "keep-alive"}


def seen(answer: requests.Response) -> list[tuple[str, str]]:
    """The answer's headers, duplicates in order, without those of the hop."""
    return [(k.lower(), v) for k, v in answer.raw.headers.items() if k.lower() not in HOPS | OURS]


def both(stack: Stack, fake: FakeUpstream, path: str, body: bytes, reply_made: object) -> tuple[requests.Response, ...]:
    """The same request sent to the upstream directly and through us, both answered by the same reply."""
    fake.queue(f"/v1{path}", reply_made, reply_made)
    headers = {"Content-Type": "application/json"}
    direct = requests.post(fake.url + path, data=body, headers=headers, stream=True, timeout=10)
    through = stack.post(path, "olga", data=body, headers=headers, stream=True)
    return direct, through


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(CHAT).encode(),
        b' {"model" : "gpt-4o-mini",\n\t"messages":[], "x": 1e400, "x": "\\u00e9\\ud800" } ',
        b"not json",
        b"\xff\xfe\x00",
        b"",
        b"[" * 100_000,
    ],
)
def test_a_json_call_passes_byte_for_byte_both_ways(stack, fake, body):
    answer_body = json.dumps({"id": "chatcmpl-1", "usage": None, "ü": "é"}, ensure_ascii=False).encode() + b"\n "
    extra = [("x-request-id", "req_7"), ("openai-version", "2020-10-01"), ("x-ratelimit-remaining-requests", "9"),
             ("vary", "a"), ("vary", "b"), ("content-type", "application/json")]  # fmt: skip
    direct, through = both(stack, fake, "/chat/completions", body, reply(200, extra, answer_body))
    assert through.status_code == direct.status_code == 200
    assert through.content == direct.content == answer_body
    assert seen(through) == seen(direct)
    assert fake.requests[-1].body == fake.requests[-2].body == body


def test_a_stream_passes_byte_for_byte_and_without_buffering(stack, fake):
    chunks = [
        b'data: {"choices":[{"delta":{"content":"\xc3',
        b'\xa9"}}]}\r\n',
        b"\r\n: comment\n\n",
        b"data: [DONE]\n\n",
    ]
    body = json.dumps(CHAT | {"stream": True, "stream_options": {"include_usage": True}}).encode()
    direct, through = both(stack, fake, "/chat/completions", body, reply_sse(chunks, delay=0.05))
    assert b"".join(through.iter_content(None)) == b"".join(direct.iter_content(None)) == b"".join(chunks)
    assert seen(through) == seen(direct)
    assert fake.requests[-1].body == body


def test_the_first_event_arrives_while_the_upstream_still_waits(stack, fake):
    at_once, later = Event(), Event()
    at_once.set()
    events = [b'data: {"choices":[{}]}\n\n', b"data: [DONE]\n\n"]
    fake.queue("/v1/chat/completions", reply_sse(events, gates=[at_once, later]))
    answer = stack.post(json=CHAT | {"stream": True}, stream=True)
    first = next(answer.iter_content(None))
    assert first == b'data: {"choices":[{}]}\n\n'
    assert fake.requests[-1].outcome == "", "the upstream had already finished: the event was buffered"
    later.set()
    answer.content  # noqa: B018  # read to the end


def test_usage_that_the_client_did_not_ask_for_is_asked_for_and_hidden(stack, fake):
    body = json.dumps(CHAT | {"stream": True}).encode()
    through = stack.post(data=body, headers={"Content-Type": "application/json"})
    sent = fake.requests[-1]
    assert sent.json() == CHAT | {"stream": True, "stream_options": {"include_usage": True}}
    assert sent.header("content-length") == str(len(sent.body))
    assert sent.header("accept-encoding") == "identity"
    events = [line for line in through.text.split("\n") if line.startswith("data: {")]
    assert events and not any(json.loads(line[6:]).get("usage") for line in events)
    assert through.text.endswith("data: [DONE]\n\n")
    assert stack.row(through)["tokens_in"] == 19


def test_usage_that_the_client_asked_for_is_not_hidden(stack):
    through = stack.post(json=CHAT | {"stream": True, "stream_options": {"include_usage": True}})
    assert '"usage"' in through.text
    assert stack.row(through)["tokens_in"] == 19


def test_headers_go_upstream_as_they_came_but_for_the_listed_ones(stack, fake):
    """With an OpenAI key of the organization's own; test_gateway_headers has those of a shared key."""
    stack.found_with_key("wyn", "Wire", fake.url, "sk-wire")
    given = {
        "Authorization": f"Bearer {stack.key('wyn')}", "OpenAI-Beta": "assistants=v2", "X-Stainless-Lang": "python",
        "Idempotency-Key": "k1", "User-Agent": "acme/1", "Accept": "application/json", "X-Empty": "",
        "Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "OpenAI-Organization": "org-x",
        "OpenAI-Project": "proj_x", "x-spendai-tags": "team=search", "Connection": "keep-alive, X-Hop", "X-Hop": "1",
        "TE": "trailers", "Accept-Encoding": "gzip, br, zstd;q=0.5, deflate",
    }  # fmt: skip
    stack.post(json=CHAT, headers=given)
    sent = {k.lower(): v for k, v in fake.requests[-1].headers}
    assert len(sent) == len(fake.requests[-1].headers), "a header twice: the client's own beside ours"
    assert sent == {
        "host": fake.origin.removeprefix("http://"), "authorization": "Bearer sk-wire",
        "openai-beta": "assistants=v2", "x-stainless-lang": "python", "idempotency-key": "k1", "user-agent": "acme/1",
        "accept": "application/json", "x-empty": "", "accept-encoding": "gzip, deflate",
        "content-type": "application/json", "content-length": str(len(json.dumps(CHAT))),
        "x-spendai-via": mark_of(stack.config.secret_key),
    }  # fmt: skip


def test_cookies_and_the_upstreams_own_hop_headers_do_not_reach_the_client(stack, fake):
    extra = [("set-cookie", "__cf=1"), ("strict-transport-security", "max-age=1"), ("alt-svc", "h3"),
             ("x-hop", "1"), ("connection", "keep-alive, x-hop"), ("openai-processing-ms", "12")]  # fmt: skip
    fake.queue("/v1/chat/completions", reply_json({"id": "1"}, 200, extra))
    got = {name.lower() for name in stack.post(json=CHAT).headers}
    assert "openai-processing-ms" in got
    assert not got & {"set-cookie", "strict-transport-security", "alt-svc", "x-hop"}


@pytest.mark.parametrize(
    "path",
    [
        "/models/gpt-4o%3Amini",
        "/models/ft:gpt-4o:acme::1",
        "/models/gpt-4o?a=%7e&b[]=1&c=x+y",
        "/files/a%20b!$&'()*+,=@~",
    ],
)
def test_the_raw_target_goes_upstream_unchanged(stack, fake, path):
    request = b"GET /api/v1/proxy%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port)) as sock:
        sock.sendall(request % (path.encode(), stack.key("olga").encode()))
        head = sock.makefile("rb").read().split(b"\r\n")[0]
    assert b" 200 " in head or b" 404 " in head
    assert fake.requests[-1].target == f"/v1{path}"


@pytest.mark.parametrize(
    "path",
    ["/file", "/models/..%2f..%2forganization", "/models/../files", "/files/..%2f..", "/files/%2e%2e", "/files/%2E./x",
     "/files/a%5cb", "/files/a%00", "/files/a%252fb", "/files/a;b", "/files/a\\b", "/files//content", "/./files",
     "/%66iles",
     "/projects/p/roles", "/realtime/calls", "/realtime/sessions", "/realtime/calls/1/accept", "/threads//runs",
     "/chat//completions",
     "/chat%2fcompletions", "/organization/costs", "/realtime/client_secrets", "/unknown", "/models/a/b"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_refused_before_anything_is_sent(stack, fake, method, path):
    before, rows = len(fake.requests), stack.count()
    request = f"{method} /api/v1/proxy{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stack.key('olga')}\r\n"
    with socket.create_connection(("127.0.0.1", stack.port)) as sock:
        sock.sendall(f"{request}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        head, _, body = sock.makefile("rb").read().partition(b"\r\n\r\n")
    assert b" 403 " in head.split(b"\r\n")[0]
    assert json.loads(body)["error"]["code"] == "endpoint_not_allowed"
    assert (len(fake.requests), stack.count()) == (before, rows)


def test_a_compressed_answer_reaches_the_client_compressed_and_is_metered(stack, fake):
    from fake_openai import chat

    packed = gzip.compress(json.dumps(chat(CHAT)).encode())
    headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
    fake.queue("/v1/chat/completions", reply(200, headers, packed))
    answer = stack.post(json=CHAT, stream=True, headers={"Accept-Encoding": "gzip"})
    assert answer.raw.read(decode_content=False) == packed
    assert stack.row(answer)["tokens_in"] == 19


def test_an_answer_cut_off_upstream_ends_cut_off_for_the_client(stack, fake):
    fake.queue("/v1/chat/completions", cut_off([b'data: {"choices":[]}\n\n']), truncate(b'{"id": "1"}', missing=3))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        stack.post(json=CHAT | {"stream": True}).content  # noqa: B018
    with pytest.raises(requests.exceptions.RequestException):
        stack.post(json=CHAT).content  # noqa: B018


def test_multipart_and_binary_pass_byte_for_byte(stack, fake):
    sound = bytes(range(256)) * 2000
    fake.queue("/v1/audio/transcriptions", reply_json({"text": "hi", "usage": {"type": "duration", "seconds": 9}}))
    answer = stack.post(
        "/audio/transcriptions",
        data={"model": "whisper-1", "user": "u1"},
        files={"file": ("a.wav", sound, "audio/wav")},
    )
    assert answer.ok
    sent: Request = fake.requests[-1]
    assert sound in sent.body and sent.header("content-type").startswith("multipart/form-data; boundary=")
    assert stack.row(answer)["model_requested"] == "whisper-1"
    fake.queue("/v1/audio/speech", reply(200, [("content-type", "audio/mpeg")], sound, chunked=True))
    assert stack.post("/audio/speech", json={"model": "tts-1", "input": "hi", "voice": "alloy"}).content == sound


def test_a_chunked_request_body_goes_upstream_chunked(stack, fake):
    answer = stack.post(
        data=iter([b'{"model": "gpt-4o-mini", ', b'"messages": []}']), headers={"Content-Type": "application/json"}
    )
    assert answer.ok
    sent = fake.requests[-1]
    assert sent.body == b'{"model": "gpt-4o-mini", "messages": []}'
    assert sent.header("transfer-encoding") == "chunked" and sent.header("content-length") is None
