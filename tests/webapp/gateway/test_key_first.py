"""A large body is read only after its key was checked; the answer reaches a client that is still sending."""

from __future__ import annotations

import json
import socket

import pytest
from stack import Stack

from webapp.errors import ApiError
from webapp.gateway import key_check as module
from webapp.gateway.key_check import KeyCheck
from webapp.gateway.refused_keys import RefusedKeys

KB = 1 << 10
LARGE = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 100_000}]}
FRAMINGS = {"sized": f"Content-Length: {900 * KB}\r\n\r\n", "chunked": "Transfer-Encoding: chunked\r\n\r\n"}


def head(key: str, framing: str) -> bytes:
    line = f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    return f"{line}Content-Type: application/json\r\n{FRAMINGS[framing]}".encode()


def begun(framing: str) -> bytes:
    """The first 70,000 bytes of a body, which does not go on."""
    return b"[" * 70_000 if framing == "sized" else b"%X\r\n" % 70_000 + b"[" * 70_000 + b"\r\n"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_stranger_is_answered_before_a_large_body_has_come(stack: Stack, framing: str) -> None:
    before = stack.count()
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as sock:
        sock.sendall(head("sk-spend-invented", framing) + begun(framing))
        assert sock.recv(65536).startswith(b"HTTP/1.1 401 ")
    assert stack.count() == before


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_client_that_sends_all_before_it_reads_gets_its_answer(stack: Stack, framing: str) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as sock:
        sock.sendall(head("sk-spend-invented", framing))
        for _ in range(900):
            sock.sendall(b"[" * KB if framing == "sized" else b"%X\r\n" % KB + b"[" * KB + b"\r\n")
        if framing == "chunked":
            sock.sendall(b"0\r\n\r\n")
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 401 ") and b"invalid_api_key" in answer


def test_a_revoked_key_is_refused_and_a_good_one_passes_with_a_large_body(stack: Stack) -> None:
    answer = stack.post(json=LARGE)
    assert answer.ok and stack.row(answer)["model_requested"] == "gpt-4o-mini"
    chunked = stack.post(data=iter([json.dumps(LARGE).encode()]), headers={"Content-Type": "application/json"})
    assert chunked.ok and stack.row(chunked)["model_requested"] == "gpt-4o-mini"
    stack.conn.execute("update public.api_keys set revoked_at = now() where id = %s", [stack.people.keys["ada"].id])
    try:
        refused = stack.post(json=LARGE)
    finally:
        stack.conn.execute("update public.api_keys set revoked_at = null where id = %s", [stack.people.keys["ada"].id])
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")


class Ledger:
    """Counts how often it is asked."""

    def __init__(self, outcome: str) -> None:
        self.outcome, self.asked = outcome, 0

    def check(self, key_hash: bytes) -> str:
        self.asked += 1
        return self.outcome


def test_a_refusal_is_remembered_for_a_moment_and_an_acceptance_never(monkeypatch: pytest.MonkeyPatch) -> None:
    check, good, bad = KeyCheck(RefusedKeys()), Ledger("valid"), Ledger("revoked_key")
    for _ in range(2):
        check(good, "sk-1")
    for _ in range(2):
        with pytest.raises(ApiError):
            check(bad, "sk-2")
    assert (good.asked, bad.asked) == (2, 1)
    now = module.time.monotonic() + module.REFUSED_SECONDS + 1
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    check(good, "sk-2")
    assert good.asked == 3


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REFUSED", 3)
    check = KeyCheck(RefusedKeys())
    for n in range(10):
        with pytest.raises(ApiError):
            check(Ledger("invalid_key"), f"sk-{n}")
    assert len(check._refused) <= 3
