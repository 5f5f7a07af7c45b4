"""Connections are spread evenly over workers, and a worker that hangs delays none of them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import gevent
import patient
import pytest
from gevent import socket as gevent_socket
from gevent import ssl as gevent_ssl
from processes import children
from stack import HOSTS, Stack

from webapp.server.shares import Share, SharingServer, counts

ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def shares() -> Iterator[list[Share]]:
    """Three workers' shares."""
    made = [Share() for _ in range(3)]
    yield made
    for share in made:
        share.free()


def held(stack: Stack) -> dict[int, int]:
    """Connections of clients that each worker holds, by its process id."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[3] == "01" and row[1].endswith(f":{stack.port:04X}")}
    found = {}
    for pid in workers(stack):
        links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
        found[pid] = sum(link[8:-1] in inodes for link in links if link.startswith("socket:"))
    return found


def workers(stack: Stack) -> list[int]:
    return children(stack.process.pid, "gunicorn")


def ask(stack: Stack, opened: ExitStack, count: int) -> list[socket.socket]:
    """Open so many connections at once and ask on each."""
    sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
    for sock in sockets:
        sock.settimeout(60)
        sock.connect(("127.0.0.1", stack.port))
    for sock in sockets:
        sock.sendall(ASK)
    return sockets


def all_answered(sockets: list[socket.socket]) -> bool:
    return all(sock.recv(99).startswith(b"HTTP/1.1 200 ") for sock in sockets)


@contextmanager
def hanging(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_what_a_worker_that_hangs_does_not_accept_another_one_does(stack: Stack):
    hung, other = workers(stack)
    with ExitStack() as opened:
        before = held(stack)
        with hanging(hung):
            assert all_answered(ask(stack, opened, 40))
            assert held(stack)[other] - before[other] >= 35


def test_a_worker_that_hung_gets_its_share_of_what_comes_later(own_dsns: tuple[str, str]):
    path = os.pathsep.join([str(HOSTS), str(Path(patient.__file__).parent)])
    environ = {"WORKERS": "1", "GUNICORN_CMD_ARGS": "--worker-class patient.Worker", "PYTHONPATH": path}
    with Stack(*own_dsns, **environ) as stack, ExitStack() as opened:
        (first,) = workers(stack)
        assert all_answered(ask(stack, opened, 40))
        stack.process.send_signal(signal.SIGTTIN)  # gunicorn's sign to start one more worker
        stack.wait_for(lambda: len(workers(stack)) == 2)
        (hung,) = set(workers(stack)) - {first}
        with hanging(hung):
            asked = ask(stack, opened, 20)
        assert all_answered(asked)
        for _ in range(18):  # until it has no more than SLACK fewer; without shares it would get about half of them
            assert all_answered(ask(stack, opened, 1))
        assert held(stack) == {first: 40, hung: 38}


def test_a_share_is_larger_while_another_worker_has_clearly_fewer(shares: list[Share]):
    first, second, third = shares
    for share in (first, first, first, second, second, second):
        share.add(1)
    third.add(1)
    assert not first.larger
    third.add(-1)
    assert first.larger and second.larger and not third.larger
    third.leave()
    assert not first.larger, "a worker that stops is not compared"
    third.add(1)
    assert not first.larger


def test_all_that_wait_are_accepted_in_one_turn_until_the_share_is_larger(shares: list[Share]):
    """A worker whose turns of the event loop are long would otherwise accept one connection in each."""
    served: list[socket.socket] = []
    server = SharingServer(shares[0], ("127.0.0.1", 0), lambda sock, _: served.append(sock))
    server.init_socket()
    with ExitStack() as opened:
        for _ in range(12):
            opened.enter_context(socket.create_connection(server.socket.getsockname()))
        shares[1].add(7)
        shares[2].add(7)
        server._stop_event.clear()
        server._do_read()
        assert counts_of(shares) == [10, 7, 7], "the tenth makes it larger by more than two"
        shares[1].add(3)
        shares[2].add(3)
        server._do_read()
        assert counts_of(shares) == [12, 10, 10]
    server.close()


def counts_of(shares: list[Share]) -> list[int]:
    return [counts[share._place] for share in shares]


def test_a_place_is_free_again_once_the_master_saw_the_worker_go(shares: list[Share]):
    before = list(counts)
    in_worker, in_master = shares[0], Share.__new__(Share)
    vars(in_master).update(vars(in_worker))  # as after a fork
    in_worker.leave()
    other = Share()
    assert [count for count in counts if count == 0] == [0] * 3, (
        "the place of a worker that is stopping is not given away"
    )
    other.free()
    in_master.free()
    shares[0] = Share()
    assert list(counts) == before


def test_a_handshake_that_fails_ends_its_connection(shares: list[Share]) -> None:
    share, before = shares[0], list(counts)
    tls = gevent_ssl.SSLContext(gevent_ssl.PROTOCOL_TLS_SERVER)
    server = SharingServer(share, ("127.0.0.1", 0), lambda *_: None, ssl_context=tls)
    server.start()
    try:
        with gevent_socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
            client.sendall(b"this is no TLS\r\n" * 9)
            with suppress(ConnectionResetError):
                while client.recv(99):  # its alert, then the end
                    pass
        gevent.idle()
        assert list(counts) == before
    finally:
        server.stop()
