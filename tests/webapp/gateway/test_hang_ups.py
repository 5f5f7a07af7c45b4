"""A client that hung up before its answer was whole is 499 in the ledger; one that closed its side only is not."""

from __future__ import annotations

import json
import socket
import struct
import threading

import pytest
from fake_openai import chat, chat_events, error
from fake_upstream import FakeUpstream, reply_json, reply_sse
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/v1/chat/completions"


def call(stack: Stack, asked: dict[str, object]) -> socket.socket:
    """A call that was sent, over a connection whose end is up to the test."""
    body = json.dumps(asked).encode()
    head = f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {stack.key('uma')}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock = socket.create_connection(("127.0.0.1", stack.port), timeout=20)
    sock.sendall(head.encode() + body)
    return sock


class Gated:
    """An answer that begins when ``gate`` is set, and tells by ``asked`` that the request is there."""

    def __init__(self, reply: object) -> None:
        self.reply, self.asked, self.gate = reply, threading.Event(), threading.Event()

    def __call__(self, *given: object) -> object:
        self.asked.set()
        assert self.gate.wait(20)
        return self.reply(*given)


@pytest.fixture(scope="module")
def mine(stack: Stack):
    """An upstream behind a key that no other test uses, so that the last call is this file's."""
    with FakeUpstream() as upstream:
        stack.found_with_key("uma", "Hang-ups", upstream.url, "sk-hang-ups")
        yield upstream


def settled(stack: Stack) -> dict[str, object]:
    query = "select * from public.usage_logs where org_id = %s order by started_at desc, id desc limit 1"
    row = stack.wait_for(lambda: stack.conn.execute(query, [stack.people.orgs["uma"]]).fetchone())
    return stack.wait_for(lambda: (now := stack.row(str(row["id"])))["state"] == "settled" and now)


def close(sock: socket.socket) -> None:
    sock.close()


def kill(sock: socket.socket) -> None:
    """Close with a reset, as a system does whose program ended with unread bytes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("leave", [close, kill])
@pytest.mark.parametrize(("reply", "cost"), [(reply_json(chat(CHAT)), True), (reply_json(error("no"), 400), False)])
def test_a_client_that_hung_up_while_it_waited_is_499(stack, mine, leave, reply, cost) -> None:
    gated = Gated(reply)
    mine.queue(PATH, gated)
    sock = call(stack, CHAT)
    assert gated.asked.wait(20)
    leave(sock)
    gated.gate.set()
    row = settled(stack)
    assert row["status_code"] == 499
    assert (row["cost"] > 0, row["tokens_in"]) == (True, 19) if cost else row["cost"] == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_closed_its_side_only_gets_its_answer_and_is_200(stack, mine, stream) -> None:
    asked = CHAT | {"stream": stream}
    gated = Gated(reply_sse(list(chat_events(asked))) if stream else reply_json(chat(CHAT)))
    mine.queue(PATH, gated)
    with call(stack, asked) as sock:
        assert gated.asked.wait(20)
        sock.shutdown(socket.SHUT_WR)
        gated.gate.set()
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ") and (b"[DONE]" if stream else b'"usage"') in answer
    assert settled(stack)["status_code"] == 200
