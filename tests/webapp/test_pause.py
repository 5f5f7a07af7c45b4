"""A call that reads a large body gives way to the input and output of other calls, not only to their callbacks."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket

from webapp import pause as module
from webapp.pause import Pause, gently


def test_bytes_that_arrive_are_read_at_the_next_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    near, far = socket.socketpair()
    got: list[int] = []
    pauses = 0

    def read() -> None:
        while near.recv(1):
            got.append(pauses)

    reader, pause = gevent.spawn(read), Pause()
    gevent.sleep(0.01)
    for _ in range(10):
        far.send(b"x")
        for _ in range(3):
            pauses += 1
            pause()
    far.close()
    reader.join()
    near.close()
    assert len(got) == 10 and max(at - 3 * n for n, at in enumerate(got)) <= 3


def test_a_step_that_took_no_time_gives_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1000.0)
    monkeypatch.setattr(module.gevent, "sleep", lambda _: pytest.fail("gave way"))
    Pause()()


def test_between_two_rows_others_have_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    monkeypatch.setattr(module, "NAP_SECONDS", 0)
    seen: list[object] = []
    other = gevent.spawn(seen.append, "another call")
    for row in gently(iter([1, 2])):
        seen.append(row)
    other.join()
    assert seen == [1, "another call", 2]
