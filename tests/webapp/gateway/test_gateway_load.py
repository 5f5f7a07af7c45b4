"""Many, slow and large calls at once: none may delay the others or fill the memory."""

from __future__ import annotations

import hashlib
import random
import resource
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from fake_replies import JSON_TYPE, Wire
from fake_upstream import FakeUpstream, default_answer
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
MB = 1 << 20


@pytest.fixture(scope="module")
def lone(stack: Stack) -> Iterator[FakeUpstream]:
    """An upstream of this file's own, behind Una's key."""
    with FakeUpstream(default_answer) as upstream:
        stack.found_with_key("una", "Lone", upstream.url, "sk-una")
        yield upstream


def workers(stack: Stack) -> list[int]:
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def memory(stack: Stack, field: str = "VmRSS") -> int:
    """Bytes of both workers together; VmHWM is the most they ever had."""
    lines = [line for pid in workers(stack) for line in Path(f"/proc/{pid}/status").read_text().split("\n")]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def connections(stack: Stack) -> int:
    """Connections of clients that the workers hold."""
    found = 0
    for line in Path("/proc/net/tcp").read_text().split("\n")[1:]:
        columns = line.split()
        found += bool(columns) and columns[3] == "01" and columns[1].endswith(f":{stack.port:04X}")
    return found


def test_an_upstream_that_answers_a_byte_a_second_harms_nobody_else(stack: Stack, lone: FakeUpstream):
    body, at_once, hurry = b'{"id": "slow", "usage": null}', 64, threading.Event()

    def dribble(wire: Wire) -> None:
        wire.head(200, [JSON_TYPE, ("content-length", str(len(body)))])
        for n in range(len(body) - 1):
            wire.send(body[n : n + 1])
            hurry.wait(1)
        assert hurry.wait(60), "however long the others take"
        wire.send(body[-1:])

    lone.queue("/v1/chat/completions", *[dribble] * at_once)
    with ThreadPoolExecutor(at_once) as pool:
        slow = [pool.submit(stack.post, name="una", json=CHAT) for _ in range(at_once)]
        lone.wait(lambda sent: len(sent) == at_once)
        others = [stack.post(json=CHAT) for _ in range(20)]
        assert [answer.status_code for answer in others] == [200] * 20
        assert not any(answer.done() for answer in slow), "these were to be the slow ones"
        hurry.set()
        assert [answer.result().content for answer in slow] == [body] * at_once


def test_ten_thousand_idle_clients_take_little_memory_and_nobodys_turn(stack: Stack):
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip("this machine does not let one process have that many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 500), hard))
    for _ in range(4):
        assert stack.post(json=CHAT).ok
    before = memory(stack)
    with ExitStack() as clients:
        for n in range(wanted):
            sock = clients.enter_context(socket.create_connection(("127.0.0.1", stack.port), timeout=10))
            if n % 10 == 0:  # some have asked something before
                sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert [stack.post(json=CHAT).status_code for _ in range(20)] == [200] * 20
        stack.wait_for(lambda: connections(stack) < 3000)
        assert memory(stack) - before < 60 * MB
    assert stack.post(json=CHAT).ok


def test_a_connection_with_a_request_under_way_is_none_of_the_idle_ones(stack: Stack, lone: FakeUpstream):
    gate = threading.Event()

    def late(wire: Wire) -> None:
        wire.head(200, [JSON_TYPE, ("transfer-encoding", "chunked")])
        while not gate.wait(0.5):  # before the gateway's read time-out, however long the clients take to connect
            wire.chunk(b" ")
        wire.chunk(b"{}")
        wire.send(b"0\r\n\r\n")

    lone.queue("/v1/chat/completions", late)
    with ThreadPoolExecutor(1) as pool, ExitStack() as clients:
        before = len(lone.requests)
        answer = pool.submit(stack.post, name="una", json=CHAT)
        lone.wait(lambda sent: len(sent) == before + 1)
        for _ in range(4000):
            clients.enter_context(socket.create_connection(("127.0.0.1", stack.port), timeout=10))
        stack.wait_for(lambda: connections(stack) < 3000)
        gate.set()
        assert answer.result().json() == {}


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "text/event-stream"])
@pytest.mark.parametrize("framing", ["sized", "chunked"])
def test_fifty_megabytes_pass_byte_for_byte_in_flat_memory(stack: Stack, lone: FakeUpstream, kind: str, framing: str):
    block, count = random.Random(7).randbytes(MB - 1) + b"\n", 50

    def pour(wire: Wire) -> None:
        length = ("content-length", str(count * MB)) if framing == "sized" else ("transfer-encoding", "chunked")
        wire.head(200, [("content-type", kind), length])
        for _ in range(count):
            wire.send(block) if framing == "sized" else wire.chunk(block)
        wire.send(b"" if framing == "sized" else b"0\r\n\r\n")

    lone.queue("/v1/chat/completions", pour, pour)
    for attempt in range(2):  # the first one may take what later ones use again
        before = memory(stack, "VmHWM")
        got, size = hashlib.sha256(), 0
        asked = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
        for chunk in stack.post(name="una", json=asked, stream=True).iter_content(MB):
            got.update(chunk)
            size += len(chunk)
        assert size == count * MB
        assert got.digest() == hashlib.sha256(block * count).digest()
        assert memory(stack, "VmHWM") - before < (40 if attempt == 0 else 24) * MB


def test_a_burst_after_silence_is_answered_once_each_though_kept_connections_went_stale(
    stack: Stack, lone: FakeUpstream
):
    def burst(tag: str) -> list[requests.Response]:
        with ThreadPoolExecutor(32) as pool:
            calls = [CHAT | {"user": f"{tag}-{n}"} for n in range(96)]
            return list(pool.map(lambda call: stack.post(name="una", json=call), calls))

    assert all(answer.ok for answer in burst("before"))
    held = list(lone._sockets)
    assert held, "the upstream's connections were to be kept"
    for sock in held:
        sock.shutdown(socket.SHUT_RDWR)
    before = len(lone.requests)
    assert [answer.status_code for answer in burst("after")] == [200] * 96
    seen = Counter(request.json()["user"] for request in lone.requests[before:])
    assert seen == {f"after-{n}": 1 for n in range(96)}
