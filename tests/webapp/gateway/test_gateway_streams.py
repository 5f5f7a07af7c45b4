"""Streams, exactly: memory stays flat, a slow client slows the upstream, an answer that breaks off stays broken."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import zlib
from pathlib import Path

import pytest
import requests
from fake_openai import CHAT_USAGE, chat, chat_events, data
from fake_replies import JSON_TYPE, SSE_TYPE, Wire
from fake_upstream import FakeUpstream, cut_off, reply, reply_json, reply_sse
from stack import Stack
from test_tenancy import call

CHAT = {"model": "gpt-4o-mini", "messages": [], "stream": True}
MB = 1_000_000
EVENT = data({"choices": [{"index": 0, "delta": {"content": "x" * 900}}], "model": "gpt-4o-mini-2024-07-18"})
END = data({"choices": [], "usage": CHAT_USAGE}) + b"data: [DONE]\n\n"
PIECE = EVENT * 60


class Pour:
    """A reply of many megabytes, made as it goes; ``sent`` bytes so far."""

    def __init__(self, size: int, kind: tuple[str, str], piece: bytes, end: bytes = b"") -> None:
        self.size, self.kind, self.piece, self.end, self.sent = size, kind, piece, end, 0

    def __call__(self, wire: Wire) -> None:
        wire.head(200, [self.kind, ("transfer-encoding", "chunked")])
        while self.sent < self.size:
            wire.chunk(self.piece)
            self.sent += len(self.piece)
        if self.end:
            wire.chunk(self.end)
        wire.send(b"0\r\n\r\n")


def workers(stack: Stack) -> list[int]:
    parent = stack.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def peak_mb(pid: int) -> float:
    """The most memory the process has held since ``forget_peak``."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / MB


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


STREAMS = {
    "events": lambda: ("/chat/completions", "POST", Pour(150 * MB, SSE_TYPE, PIECE, END)),
    "one endless event": lambda: ("/responses", "POST", Pour(100 * MB, SSE_TYPE, b"data: " + b"x" * 60_000)),
    "a file": lambda: ("/files/file-1/content", "GET", Pour(150 * MB, ("content-type", "video/mp4"), bytes(65536))),
    "a JSON answer": lambda: ("/files/file-1", "GET", Pour(100 * MB, JSON_TYPE, b'["' + b"x" * 65536 + b'"],')),
}


@pytest.mark.parametrize("name", STREAMS)
def test_memory_stays_flat_however_long_an_answer_is(stack: Stack, fake: FakeUpstream, name: str):
    path, method, pour = STREAMS[name]()
    fake.queue(f"/v1{path}", pour)
    before = {pid: peak_mb(pid) for pid in workers(stack) if not forget_peak(pid)}
    body = CHAT if method == "POST" else None
    answer = call(stack, "olga", method, path, json=body, stream=True)
    got = sum(len(chunk) for chunk in answer.iter_content(1 << 20))
    assert got >= pour.size
    for pid, start in before.items():
        assert peak_mb(pid) - start < 64, "the answer was held in memory"
    if name == "events":
        assert stack.row(answer)["tokens_in"] == 19


def test_memory_stays_flat_while_a_large_file_is_sent(stack: Stack, fake: FakeUpstream):
    before = {pid: peak_mb(pid) for pid in workers(stack) if not forget_peak(pid)}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = (part for part in (head, *[bytes(65536)] * 60, b"\r\n--b--\r\n"))
    fake.queue("/v1/files", reply_json({"id": "file-big", "object": "file"}))
    assert call(
        stack, "olga", "POST", "/files", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    ).ok
    assert len(fake.requests[-1].body) > 60 * 65536
    for pid, start in before.items():
        assert peak_mb(pid) - start < 16


def raw_call(stack: Stack, method: str = "POST", path: str = "/chat/completions") -> socket.socket:
    """A connection on which the request has been sent."""
    body = json.dumps(CHAT).encode() if method == "POST" else b""
    head = (f"{method} /api/v1/proxy{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stack.key('olga')}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n")  # fmt: skip
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", stack.port))
    sock.sendall(head.encode() + body)
    return sock


def settled(stack: Stack, endpoint: str) -> dict | None:
    """The last row of an operation once it is settled."""
    query = "select * from public.usage_logs where endpoint = %s order by started_at desc limit 1"
    row = stack.conn.execute(query, [endpoint]).fetchone()
    return row if row and row["state"] == "settled" else None


def test_a_client_that_reads_slowly_slows_the_upstream(stack: Stack, fake: FakeUpstream):
    pour = Pour(80 * MB, SSE_TYPE, PIECE, END)
    fake.queue("/v1/chat/completions", pour)
    with raw_call(stack) as sock:
        stack.wait_for(lambda: pour.sent > 0)
        seen: list[int] = []
        stack.wait_for(lambda: seen.append(pour.sent) or (len(seen) > 20 and len(set(seen[-20:])) == 1), 20)
        assert pour.sent < 40 * MB, "the upstream was read to the end for a client that does not read"
        size = sum(iter(lambda: len(sock.recv(1 << 20)), 0))
    assert size > pour.size
    assert settled(stack, "/v1/chat/completions")["tokens_in"] == 19


def test_a_client_that_closes_its_side_after_the_request_gets_its_answer(stack: Stack, fake: FakeUpstream):
    gate = threading.Event()
    fake.queue("/v1/chat/completions", reply_sse(list(chat_events(CHAT)), gates=[gate]))
    with raw_call(stack) as sock:
        sock.shutdown(socket.SHUT_WR)
        gate.set()
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert b" 200 " in answer.split(b"\r\n")[0] and b"data: [DONE]" in answer
    assert settled(stack, "/v1/chat/completions")["status_code"] == 200


def test_a_client_that_vanishes_leaves_no_connection_and_no_open_row(stack: Stack, fake: FakeUpstream):
    pour = Pour(500 * MB, ("content-type", "video/mp4"), bytes(65536))
    fake.queue("/v1/videos/v_1/content", pour)
    sock = raw_call(stack, "GET", "/videos/v_1/content")
    sock.recv(1000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    row = stack.wait_for(lambda: settled(stack, "/v1/videos/{video_id}/content"), 20)
    assert (row["status_code"], row["cost_status"], row["cost"]) == (499, "free", 0)
    fake.wait(lambda requests: any(r.path == "/v1/videos/v_1/content" and r.outcome for r in requests))
    assert pour.sent < 100 * MB, "read on for nobody beyond the bounds"


@pytest.mark.parametrize("kind", ["closed", "reset", "garbage"])
def test_an_answer_that_breaks_off_breaks_off_for_the_client_after_what_there_was(stack, fake, kind):
    first = data({"choices": [{"delta": {"content": "Hel"}}]})

    def garbage(wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, ("transfer-encoding", "chunked")])
        wire.chunk(first)
        wire.send(b"zz\r\n")

    replies = {"closed": cut_off([first]), "reset": cut_off([first], reset=True)}
    fake.queue("/v1/chat/completions", replies.get(kind, garbage))
    answer = call(stack, "olga", "POST", "/chat/completions", json=CHAT, stream=True)
    got = b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for chunk in answer.iter_content(None):
            got += chunk
    assert got == first
    row = stack.row(answer)
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", None, "no_usage")


PACKED = {
    "gzip": gzip.compress, "deflate": zlib.compress, "br": lambda content: b"\x1b" + content,
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("encoding", PACKED)
def test_a_compressed_answer_is_passed_as_it_is_and_read_where_it_can_be(stack, fake, encoding, stream):
    asked = CHAT | {"stream": stream, "stream_options": {"include_usage": True}}
    content = PACKED[encoding](b"".join(chat_events(asked)) if stream else json.dumps(chat(asked)).encode())
    kind = SSE_TYPE if stream else JSON_TYPE
    fake.queue("/v1/chat/completions", reply(200, [kind, ("content-encoding", encoding)], content, chunked=True))
    answer = call(stack, "olga", "POST", "/chat/completions", json=asked, stream=True)
    assert answer.headers["content-encoding"] == encoding
    assert answer.raw.read(decode_content=False) == content
    row = stack.row(answer)
    assert (row["tokens_in"], row["cost_status"]) == ((None, "no_usage") if encoding == "br" else (19, "priced"))


def test_expect_100_continue_is_answered_before_the_body_is_sent(stack, fake):
    head = (f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stack.key('olga')}\r\n"
            "Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")  # fmt: skip
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as sock:
        sock.sendall(head.encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(b"{}")
        assert b" 200 " in b"".join(iter(lambda: sock.recv(65536), b"")).split(b"\r\n")[0]
    assert fake.requests[-1].body == b"{}" and fake.requests[-1].header("expect") is None


def test_a_part_of_a_file_can_be_asked_for(stack, fake):
    part = [
        ("content-range", "bytes 2-4/10"),
        ("accept-ranges", "bytes"),
        ("etag", '"x"'),
        ("content-type", "audio/mpeg"),
    ]
    fake.queue("/v1/files/file-1/content", reply(206, part, b"cde"))
    answer = call(stack, "olga", "GET", "/files/file-1/content", headers={"Range": "bytes=2-4", "If-Range": '"x"'})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, b"cde", "bytes 2-4/10")
    assert (fake.requests[-1].header("range"), fake.requests[-1].header("if-range")) == ("bytes=2-4", '"x"')


def test_a_redirect_is_passed_on_and_not_followed(stack, fake):
    before = len(fake.requests)
    for status in (301, 302, 303, 307, 308):
        fake.queue("/v1/files/file-1/content", reply(status, [("location", f"{fake.origin}/v1/elsewhere")], b""))
        answer = call(stack, "olga", "GET", "/files/file-1/content", allow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (status, f"{fake.origin}/v1/elsewhere")
    assert [request.path for request in fake.requests[before:]] == ["/v1/files/file-1/content"] * 5


@pytest.mark.parametrize("path", ["/embeddings?model=x", "/responses/input_tokens", "/chat/completions"])
def test_a_websocket_is_refused_and_says_why(stack, fake, path):
    before = len(fake.requests), stack.count()
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    answer = call(stack, "olga", "GET", path, headers=upgrade)
    assert (answer.status_code, answer.json()["error"]["code"]) == (426, "websocket_not_supported")
    assert (answer.headers["upgrade"], answer.headers["connection"]) == ("websocket", "keep-alive, Upgrade")
    assert (len(fake.requests), stack.count()) == before


def test_a_client_that_goes_while_it_sends_is_settled_and_the_upstream_never_gets_a_whole_request(stack, fake):
    path = "/v1/audio/transcriptions"
    head = (f"POST /api{path.replace('/v1', '/v1/proxy')} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {stack.key('olga')}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n--b\r\n")  # fmt: skip
    before = len([r for r in fake.requests if r.path == path and len(r.body) >= 900_000])
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as sock:
        sock.sendall(head.encode() + b"x" * 200_000)
    row = stack.wait_for(lambda: (found := settled(stack, path)) and found["status_code"] == 499 and found)
    assert (row["cost_status"], row["cost"]) == ("no_usage", None)
    assert len([r for r in fake.requests if r.path == path and len(r.body) >= 900_000]) == before
