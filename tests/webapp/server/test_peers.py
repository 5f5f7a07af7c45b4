"""How long a client may keep a worker waiting, and whose connection is closed when there are too many."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

import gevent
import gevent.socket
import pytest
from gunicorn.config import Config
from gunicorn.http.unreader import SocketUnreader

from webapp.server import peers
from webapp.server.peers import Allowance, Limits, Peer, Peers, group, too_slow, trusted
from webapp.server.requests import Reader

SHORT = Limits(head_seconds=0.2, seconds=0.2, rate=1000)
Pair = tuple[Peer, gevent.socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A worker's side of a TCP connection, while it serves a request, and the client's."""
    with gevent.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client = gevent.socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        served, _ = listener.accept()
    peer = Peer(served, "", SHORT)
    peer.setblocking(True)
    peer.serving = True
    with served, client:
        yield peer, client


def repeat(action: object, pause: float) -> gevent.Greenlet:
    def run() -> None:
        with suppress(OSError):
            while action():
                gevent.sleep(pause)

    return gevent.spawn(run)


def test_a_wait_uses_up_the_allowance_and_bytes_earn_it_again_but_no_more() -> None:
    allowance = Allowance(Limits(seconds=30, rate=500))
    allowance.spend(0, 10**9)
    assert allowance.left == 30
    for _ in range(1000):
        allowance.spend(10, 5000)
    allowance.spend(29.9, 0)
    with pytest.raises(TimeoutError):
        allowance.spend(0.2, 0)


def test_a_body_that_stops_is_given_up(pair: Pair) -> None:
    peer, client = pair
    client.sendall(b"x")
    assert peer.recv(10) == b"x"
    with pytest.raises(TimeoutError):
        peer.recv(10)


def test_a_body_that_comes_too_slowly_is_given_up(pair: Pair) -> None:
    peer, client = pair
    slow = repeat(lambda: client.send(b"x"), 0.02)
    with pytest.raises(TimeoutError):
        while True:
            peer.recv(10)
    slow.kill()


def test_a_body_that_comes_fast_enough_may_take_long(pair: Pair) -> None:
    peer, client = pair
    steady, got = repeat(lambda: client.send(b"x" * 500), 0.02), 0
    while got < 15000:  # for 0.6 seconds, three times the allowance
        got += len(peer.recv(500))
    steady.kill()


def test_a_client_that_does_not_read_is_given_up(pair: Pair) -> None:
    peer, _ = pair
    with pytest.raises(TimeoutError):
        peer.sendall(b"x" * 10_000_000)


def test_a_client_that_reads_slowly_but_steadily_gets_everything(pair: Pair) -> None:
    peer, client = pair
    got = 0

    def read() -> int:
        nonlocal got
        got += (size := len(client.recv(20_000)))
        return size

    reading = repeat(read, 0.005)
    peer.sendall(b"x" * 1_500_000)
    peer.shutdown(socket.SHUT_WR)
    reading.join()
    assert got == 1_500_000


class FullBuffer:
    """A socket whose buffer has no room for so many waits, while the client acknowledges so many bytes in each."""

    def __init__(self, waits: int, acknowledged: int) -> None:
        self.waits, self.acknowledged, self.queued = waits, acknowledged, 1_000_000

    def settimeout(self, seconds: float) -> None: ...

    def fileno(self) -> int:
        return 0

    def send(self, data: bytes) -> int:
        self.waits -= 1
        self.queued -= self.acknowledged
        if self.waits > 0:
            raise TimeoutError("timed out")
        return len(data)


@pytest.mark.parametrize("acknowledged", [500 * 8, 10])
def test_bytes_that_a_client_acknowledges_count_before_there_is_room_again(monkeypatch, acknowledged: int) -> None:
    full = FullBuffer(20, acknowledged)
    monkeypatch.setattr(peers.fcntl, "ioctl", lambda *_: full.queued.to_bytes(4, sys.byteorder))
    peer = Peer(full, "", Limits(seconds=30, rate=500))  # looked at every 7.5 seconds
    if acknowledged == 10:
        with pytest.raises(TimeoutError):
            peer.send(b"x")
    else:
        assert peer.send(b"x") == 1


def test_a_stream_of_few_bytes_that_are_all_read_costs_nothing(monkeypatch: pytest.MonkeyPatch, pair: Pair) -> None:
    peer, client = pair
    now = 0.0
    monkeypatch.setattr(peers, "monotonic", lambda: now)
    for _ in range(30):
        now += 0.02
        peer.sendall(b"x")
        assert client.recv(1) == b"x"
    assert peer._writing.left == SHORT.seconds


def test_the_wait_for_a_head_is_none_of_these(pair: Pair) -> None:
    peer, client = pair
    peer.serving = False
    late = gevent.spawn_later(0.5, client.sendall, b"GET")
    assert peer.recv(10) == b"GET"
    late.join()


def test_a_head_that_does_not_end_is_given_up(pair: Pair) -> None:
    peer, client = pair
    peer.serving = False
    slow = repeat(lambda: client.send(b"GET / HTTP/1.1\r\n" if peer else b""), 0.02)
    with pytest.raises(StopIteration):
        Reader(Config(), SHORT.head_seconds)(Config(), SocketUnreader(peer), ("127.0.0.1", 1))
    slow.kill()


class Crowd:
    """Connections of a worker that accepts ten, each at once waiting for its client."""

    def __init__(self, per_address: int = 100, proxies: str = "") -> None:
        self.ended: list[Peer] = []
        self.idle: set[Peer] = set()
        self.peers = Peers(Limits(per_address=per_address, trusted=proxies), 10, self.give_up)

    def give_up(self, peer: Peer) -> bool:
        if peer not in self.idle:
            return False
        self.idle.remove(peer)
        self.ended.append(peer)
        return True

    def join(self, address: str, *, idle: bool = True) -> Peer | None:
        peer = self.peers.join(gevent.socket.socket(), (address, 1))
        if peer and idle:
            self.idle.add(peer)
        return peer


def test_when_nearly_all_connections_are_taken_the_address_with_the_most_makes_room() -> None:
    crowd = Crowd()
    honest = crowd.join("192.0.2.1")
    many = [crowd.join("192.0.2.2") for _ in range(8)]
    assert crowd.ended == []
    assert crowd.join("192.0.2.3") and crowd.join("192.0.2.2")
    assert crowd.ended == many[:2] and honest in crowd.idle


def test_a_connection_whose_call_runs_is_never_closed_to_make_room() -> None:
    crowd = Crowd()
    for _ in range(8):
        crowd.join("192.0.2.2", idle=False)
    waiting = crowd.join("192.0.2.1")
    crowd.join("192.0.2.2", idle=False)
    assert crowd.ended == [waiting]


def test_an_address_has_so_many_connections_at_most() -> None:
    crowd = Crowd(per_address=2)
    first = crowd.join("192.0.2.1", idle=False)
    second = crowd.join("192.0.2.1")
    assert crowd.join("192.0.2.1", idle=False) and crowd.ended == [second]
    crowd.peers.leave(second)
    assert crowd.join("192.0.2.1") is None, "the other two run calls"
    assert crowd.join("192.0.2.2")
    crowd.peers.leave(first)
    assert crowd.join("192.0.2.1")


def test_a_proxy_that_is_trusted_may_have_more() -> None:
    crowd = Crowd(per_address=1, proxies="192.0.2.0/24, ::1")
    assert all(crowd.join("192.0.2.1", idle=False) for _ in range(3))
    assert crowd.join("198.51.100.1", idle=False) and not crowd.join("198.51.100.1", idle=False)


@pytest.mark.parametrize("first", ["end", "bytes", "call"])
def test_a_wait_is_ended_from_outside_unless_the_bytes_come_first_or_a_call_runs(pair: Pair, first: str) -> None:
    peer, client = pair
    peer._step, peer.kept = 60, first == "call"
    got: list[bytes | str] = []

    def wait() -> None:
        try:
            got.append(peer.recv(10))
        except TimeoutError as error:
            got.append(str(error))

    peer.greenlet = gevent.spawn(wait)
    gevent.idle()
    assert peer.waits
    if first != "end":
        assert first == "bytes" or not peer.end()
        client.sendall(b"x")
        peer.greenlet.join()
        assert got == [b"x"] and not peer.end()
    else:
        assert peer.end() and not peer.end()
        peer.greenlet.join()
        assert got == [str(too_slow())]


@pytest.mark.parametrize("way", ["recv", "send"])
@pytest.mark.parametrize("broken", [False, True], ids=["too slow", "gone"])
def test_whoever_is_given_up_already_is_not_ended_again(pair: Pair, way: str, broken: bool) -> None:
    """Its call may be read to the end and settled meanwhile, which must not be interrupted."""
    peer, client = pair
    peer._step = 60 if broken else 0.05
    peer.unlimited.settimeout(peer._step)

    def wait() -> None:
        with pytest.raises(OSError):
            peer.recv(10) if way == "recv" else peer.sendall(bytes(1 << 24))

    waiting = gevent.spawn(wait)
    gevent.idle()
    if broken:
        peer.waits = True  # as a step later
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    waiting.get(timeout=20)
    assert not peer.end()


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_addresses_of_one_customer_are_one(address: str, one: str) -> None:
    assert group(address) == one


def test_every_proxy_is_trusted_where_the_setting_says_so() -> None:
    assert trusted("*", "192.0.2.1") and trusted("", "") and not trusted("192.0.2.2,::1", "192.0.2.1")
