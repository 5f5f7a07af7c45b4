"""Malicious clients: memory stays bounded, answers are clear, and all other clients are served."""

from __future__ import annotations

import gzip
import json
import resource
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fake_openai import chat
from fake_upstream import reply
from processes import children
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def memory(stack: Stack):
    """Megabytes the workers hold now."""

    def megabytes() -> int:
        pids = children(stack.process.pid, "gunicorn")
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in pids) >> 20

    return megabytes


def connect(stack: Stack) -> socket.socket:
    return socket.create_connection(("127.0.0.1", stack.port), timeout=20)


def answer_to(stack: Stack, data: bytes) -> bytes:
    """First line of the answer to these bytes."""
    with connect(stack) as sock:
        with suppress(OSError):  # refused before all was sent
            sock.sendall(data)
        try:
            return sock.makefile("rb").readline()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("begun", [b"", b"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_more_than_a_thousand_connections_that_say_nothing_hold_up_nobody(stack, memory, begun):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    before = memory()
    with ExitStack() as open_ones:
        for _ in range(1200):
            open_ones.enter_context(connect(stack)).sendall(begun)
        assert [stack.post(json=CHAT).status_code for _ in range(20)] == [200] * 20
        assert memory() - before < 150
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_body_that_never_comes_holds_up_nobody(stack):
    head = f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stack.key()}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with ExitStack() as open_ones:
        for _ in range(300):
            open_ones.enter_context(connect(stack)).sendall(head.encode())
        assert [stack.post(json=CHAT).status_code for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    "head",
    [
        b"X-Big: " + b"x" * 1_000_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % n for n in range(10_000)),
        b"X-Bad\x00: y\r\n",
        b" folded: y\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
    ids=["big header", "many headers", "NUL", "folded", "two framings", "two lengths", "negative", "unknown framing"],
)
def test_heads_no_client_sends_are_refused(stack, fake, head):
    sent = len(fake.requests)
    first = answer_to(stack, b"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n{}")
    assert not first or first.split()[1] in (b"400", b"401", b"411", b"413", b"431", b"501"), first
    assert len(fake.requests) == sent
    assert stack.post(json=CHAT).ok


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/login", "/api/v1/proxy/chat/completions"])
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 9", b"{}"),
        ("Transfer-Encoding: chunked", b"5\r\n{"),
        ("Transfer-Encoding: chunked", b"zz\r\n"),
        ("Transfer-Encoding: chunked", b"2\r\n{}XX\r\n0\r\n\r\n"),
    ],
    ids=["too short", "cut off", "no size", "no end"],
)
def test_half_a_body_is_an_error_of_its_client_and_changes_nothing(stack, path, framing, body):
    kind = "application/x-www-form-urlencoded" if path == "/login" else "application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\nOrigin: {stack.url}\r\nContent-Type: {kind}\r\n"
    head += f"Authorization: Bearer {stack.key()}\r\nConnection: close\r\n{framing}\r\n\r\n"
    logged = len(stack.log())
    with connect(stack) as sock:
        sock.sendall(head.encode() + body)
        sock.shutdown(socket.SHUT_WR)
        answer = sock.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400") and b"body broke off" in answer
    assert "Traceback" not in stack.log()[logged:]


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"messages":['])
def test_deep_json_is_answered_and_the_worker_lives(stack, memory, opening):
    before, pids = memory(), children(stack.process.pid, "gunicorn")
    answer = stack.post(data=opening * 70_000, headers=JSON)
    assert answer.status_code in (200, 400)
    assert children(stack.process.pid, "gunicorn") == pids and memory() - before < 100


def test_an_answer_that_unpacks_to_hundreds_of_megabytes_passes_without_filling_memory(stack, fake, memory):
    whole = json.dumps(chat(CHAT) | {"note": "NOTE"}).partition('"NOTE"')
    big = gzip.compress((whole[0] + '"' + " " * 200_000_000 + '"' + whole[2]).encode(), 9)
    fake.queue(
        "/v1/chat/completions", reply(200, [("content-type", "application/json"), ("content-encoding", "gzip")], big)
    )
    before = memory()
    answer = stack.post(json=CHAT, headers={"Accept-Encoding": "gzip"}, stream=True)
    assert answer.raw.read(decode_content=False) == big
    assert memory() - before < 100
    assert stack.row(answer)["state"] == "settled"
