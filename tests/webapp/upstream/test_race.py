"""Addresses of a host at which nothing answers do not hold up a connection, and a slow one may still win."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from webapp.upstream import race
from webapp.upstream.addresses import connect

# A listener whose queue is full answers no SYN, as an address behind a broken route does; `dead` leaves it so.
PROGRAM = """
import socket
from webapp.upstream import addresses, names, race

def address(listener):
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())

def dead():
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    for _ in range(3):
        queued.append(socket.socket())
        queued[-1].setblocking(False)
        queued[-1].connect_ex(listener.getsockname())
    return listener

def found(*listeners):
    addresses.look_up = lambda *_: [address(one) for one in listeners]
    with addresses.connect("api.test", 443, 600) as sock:
        assert sock.gettimeout() == 600
        return sock.getpeername()

queued = []
live, closed = socket.create_server(("127.0.0.1", 0)), socket.socket()
closed.bind(("127.0.0.1", 0))
silent = dead()

assert found(silent, live) == live.getsockname()
assert found(silent, silent, closed, live) == live.getsockname()
assert found(closed, live) == live.getsockname()
assert found(closed, silent, live) == live.getsockname()

made = []

class Noticed(socket.socket):
    def __init__(self, *words, **named):
        super().__init__(*words, **named)
        made.append(self)
        if len(made) == 2:  # the rival is being tried: now the first address accepts
            accepted.append(slow.accept())

slow, accepted = dead(), []
race.socket.socket = Noticed
assert found(slow, silent, closed) == slow.getsockname()
"""


@pytest.mark.parametrize("start", ["from gevent import monkey; monkey.patch_all()", ""], ids=["gateway", "command"])
def test_addresses_at_which_nothing_answers_do_not_hold_up_a_connection(start: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", start + PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_address_has_failed(monkeypatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", closed.getsockname())]
        monkeypatch.setattr("webapp.upstream.addresses.look_up", lambda *_: found * 3)
        with pytest.raises(ConnectionRefusedError):
            connect("api.test", 443, 10)


def test_families_take_turns_and_the_one_that_won_a_race_goes_first(monkeypatch) -> None:
    found = [(family, number) for family in (socket.AF_INET6, socket.AF_INET) for number in (1, 2)]
    six, six_too, four, four_too = found
    assert race.in_turn(found) == [six, four, six_too, four_too]
    monkeypatch.setattr(race, "_won", [socket.AF_INET])
    assert race.in_turn(found) == [four, six, four_too, six_too]
