"""Attacks by many connections of one address, with a byte of a body or without a word; and by many streams."""

from __future__ import annotations

import resource
from contextlib import ExitStack, suppress
from select import select
from socket import socket

from fake_replies import hang
from hostile.frame import CHAT, Result, Target, attack
from stack import Stack


def crowd(
    target: Target, stack: Stack, data: bytes, wanted: int, opened: ExitStack, addresses: int = 1
) -> list[socket]:
    """So many connections from so many addresses that have sent ``data``; some may have been closed again."""
    socks = []
    for number in range(wanted):
        with suppress(OSError):
            sock = target.connect(data, stack, f"127.0.0.{2 + number % addresses}")
            socks.append(opened.enter_context(sock))
    return socks


@attack("many connections")
def many_connections(target: Target) -> Result:
    """One address, or fifty, take more connections than all workers have."""
    result, wanted = Result(), 250 if target.quick else 10_050
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, wanted + 1000)), hard))
    bounds = {"MAX_CONNECTIONS": "100", "MAX_CONNECTIONS_PER_ADDRESS": "80"} if target.quick else {}
    with target.other_stack(**bounds) as stack:
        body = target.head("sk-spend-invented", Content_Type="application/json", Content_Length=1000) + b"{"
        for what, data, addresses in (
            ("a head and a byte of body", body, 1),
            ("the same from 50 addresses", body, 50),
            ("silence", b"", 1),
            ("half a head", b"GET / HTTP/1.1", 1),
        ):
            with ExitStack() as opened:
                crowd(target, stack, data, wanted, opened, addresses)
                result.tried(f"{what}: others are not served", held=target.serves(stack, 20), times=wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return result


@attack("many calls")
def many_calls(target: Target) -> Result:
    """One key takes more calls than it may have; calls of others pass."""
    result, wanted = Result(), 60  # 20 in each of two workers
    data = target.head(target.stack.key("eve"), Content_Type="application/json", Content_Length=40)
    body = b'{"model": "gpt-4o-mini", "messages": []}'
    refused: set[socket] = set()
    with ExitStack() as opened:
        target.upstream.queue("/v1/chat/completions", *[hang()] * 40)
        socks = crowd(target, target.stack, data + body, wanted, opened)

        def enough() -> bool:
            for sock in select(socks, [], [], 0)[0]:
                answer = sock.recv(65536)
                if answer.startswith(b"HTTP/1.1 503 ") and b"too_many_calls" in answer:
                    refused.add(sock)
            return len(refused) >= wanted - 40

        with suppress(AssertionError):
            target.stack.wait_for(enough, 20)
        result.tried(f"{len(refused)} of {wanted} calls were refused", held=enough(), times=wanted)
        target.upstream._queues["/v1/chat/completions"].clear()
        result.tried("calls of another key", held=target.stack.post(json=CHAT).status_code == 200)
    result.tried("all are settled", held=target.all_settled())
    return result
