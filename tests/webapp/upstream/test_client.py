"""The HTTP client against servers that answer early, wrongly, slowly, without end, or over TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from certificates import certificate, server_context

from webapp.upstream import connections, names
from webapp.upstream.client import CLOSED, UNREADABLE, Client, Interrupted, UpstreamError
from webapp.upstream.exchange import Request
from webapp.upstream.http1 import MAX_HEAD

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that runs ``serve`` for every connection; its base URL, and the connections so far."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that a sender soon has to wait
    taken: list[socket.socket] = []
    ended = threading.Event()

    def one(sock: socket.socket) -> None:
        with suppress(OSError):
            wrapped = context.wrap_socket(sock, server_side=True) if context else sock
            taken.append(wrapped)
            # Closed by no other thread: at the end of a connection OpenSSL writes an alert to its descriptor's number,
            # which another socket may have by then.
            with wrapped, suppress(OSError):
                serve(wrapped)
                ended.wait()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    scheme = "https" if context else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/v1", taken
    finally:
        ended.set()
        for sock in [listener, *taken]:  # which wakes the threads that wait for it
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        listener.close()


def read_head(sock: socket.socket) -> bytes:
    """Reads the head of a request and no byte of its body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (byte := sock.recv(1)):
            raise ConnectionResetError
        head += byte
    return head


def answering(*answers: bytes) -> Serve:
    """Answers the requests of a connection with these answers in turn, then closes it."""

    def serve(sock: socket.socket) -> None:
        for answer in answers:
            read_head(sock)
            sock.sendall(answer)
        sock.close()

    return serve


def get(client: Client, url: str, method: str = "GET") -> tuple[int, bytes]:
    answer = client.send(url, Request(method, "/models", [], None, None))
    try:
        return answer.status, b"".join(answer.chunks)
    finally:
        answer.close()


@pytest.fixture
def client() -> Client:
    return Client(5, 5)


def test_interim_answers_are_skipped(client):
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    with server(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + early + OK)) as (url, _):
        assert get(client, url) == (200, b"ok")


def test_the_host_header_is_the_name_in_the_base_url_and_not_its_address(client, monkeypatch):
    heads: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        heads.append(read_head(sock))
        sock.sendall(OK)

    with server(serve) as (url, _):
        found = socket.getaddrinfo("127.0.0.1", int(url.split(":")[2].removesuffix("/v1")), type=socket.SOCK_STREAM)
        monkeypatch.setattr(names, "operators", {"models.test"})  # others are not looked up by socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert get(client, url.replace("127.0.0.1", "Models.test")) == (200, b"ok")
        assert b"\r\nHost: " + url.split("/")[2].replace("127.0.0.1", "Models.test").encode() in heads[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_HEAD,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (MAX_HEAD // 6) + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"",
    ],
)
def test_a_head_that_is_endless_incomplete_or_ambiguous_is_502(client, answer):
    with server(answering(answer)) as (url, _), pytest.raises(UpstreamError) as caught:
        get(client, url)
    assert (caught.value.status, caught.value.sent) == (502, True)
    ended_early = b"\r\n\r\n" not in answer and len(answer) < MAX_HEAD
    assert caught.value.message == (CLOSED if ended_early else UNREADABLE)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx-trailer: 1\r\n\r\n"),
    ],
)
def test_a_connection_is_reused_after_an_answer_without_content(client, method, answer):
    with server(answering(answer, OK)) as (url, taken):
        assert get(client, url, method)[1] == b""
        assert get(client, url) == (200, b"ok")
        assert len(taken) == 1


@pytest.mark.parametrize(
    ("early", "late", "begun"),
    [
        (b"", b"2\r\nok\r\n0\r\n\r\n", False),
        (b"2\r\n", b"ok\r\n0\r\n\r\n", False),  # framing is no content
        (b"2\r\nok\r\n", b"0\r\n\r\n", True),
        (b"2\r\nok\r\n0\r\n\r\n", b"", True),
    ],
)
def test_an_answer_says_whether_its_body_has_begun_and_has_ended(client, early, late, begun):
    go_on = threading.Event()

    def serve(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + early)
        go_on.wait(10)
        sock.sendall(late)

    with server(serve) as (url, _):
        answer = client.send(url, Request("GET", "/models", [], None, None))
        assert (answer.begun, answer.ended) == (begun, False)
        if not begun:
            go_on.set()
        assert next(answer.chunks) == b"ok" and answer.ended == (not begun or not late)
        go_on.set()
        assert list(answer.chunks) == [] and answer.ended
        answer.close()


def test_idle_connections_are_closed_when_they_are_old(client, monkeypatch):
    with server(answering(OK, OK)) as (url, _):
        rush = [client.send(url, Request("GET", "/models", [], None, None)) for _ in range(3)]
        conns = [answer._conn for answer in rush]
        for answer in rush:
            assert b"".join(answer.chunks) == b"ok"
        for answer in rush[:2]:
            answer.close()
        monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
        rush[2].close()
        assert [conn.sock.fileno() == -1 for conn in conns] == [True, False, False]


def kept(client: Client, url: str) -> connections.Connection:
    """Makes a call and returns its connection, which the client keeps for the next one."""
    answer = client.send(url, Request("GET", "/models", [], None, None))
    conn = answer._conn
    assert b"".join(answer.chunks) == b"ok"
    answer.close()
    return conn


def is_closed(conn: connections.Connection) -> bool:
    return conn.sock.fileno() == -1


def test_the_number_of_base_urls_with_idle_connections_is_limited(client, monkeypatch):
    monkeypatch.setattr(connections, "KEPT_ORIGINS", 2)
    with server(answering(OK, OK)) as (url, taken):
        conns = [kept(client, f"{url}/{number}") for number in range(3)]
        assert kept(client, f"{url}/1") is conns[1], "the base URL that was used last is kept"
        conns.append(kept(client, f"{url}/3"))
        assert [is_closed(conn) for conn in conns] == [True, False, True, False]
        assert len(taken) == 4


def test_a_base_url_that_is_not_used_for_a_while_loses_its_connections(client, monkeypatch):
    with server(answering(OK, OK)) as (url, _):
        before = kept(client, f"{url}/before")
        monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
        kept(client, f"{url}/after")
        assert is_closed(before)


def test_a_running_call_completes_after_its_base_url_was_dropped(client, monkeypatch):
    monkeypatch.setattr(connections, "KEPT_ORIGINS", 1)
    with server(answering(OK, OK)) as (url, _):
        answer = client.send(f"{url}/1", Request("GET", "/models", [], None, None))
        kept(client, f"{url}/2")
        conn = answer._conn
        assert b"".join(answer.chunks) == b"ok"
        answer.close()
        assert is_closed(conn)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden", b"ok"),
        (OK + b"\r\n", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\nhidden", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nhidden", b""),
        (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"ok"),
        (OK.replace(b"1.1", b"1.0"), b"ok"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
    ],
)
def test_a_connection_with_unexpected_bytes_or_without_keep_alive_is_not_reused(client, answer, content):
    serve = answering(answer)
    with server(serve) as (url, taken):
        assert get(client, url)[1] == content
        assert get(client, url)[1] == content
        assert len(taken) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n",
    ],
)
def test_a_body_that_ends_early_is_interrupted(client, answer):
    with server(answering(answer)) as (url, _):
        got = client.send(url, Request("GET", "/models", [], None, None))
        assert next(got.chunks) == b"ok"
        with pytest.raises(Interrupted):
            next(got.chunks)
        got.close()


def upload(client: Client, url: str, size: int = 50_000_000, length: int | None = -1) -> int:
    """Sends a large body, in pieces or whole; the status of the answer."""
    body = bytes(size) if length == -1 else iter([bytes(100_000)] * (size // 100_000))
    answer = client.send(url, Request("POST", "/files", [], body, size if length == -1 else length))
    answer.close()
    return answer.status


@pytest.mark.parametrize("length", [-1, 50_000_000, None], ids=["whole", "in pieces", "chunked"])
@pytest.mark.parametrize("ending", ["stays", "closes"])
def test_an_error_that_the_server_sends_before_it_has_read_the_body_is_received(client, length, ending):
    def refuse(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        if ending == "closes":
            sock.close()

    with server(refuse) as (url, taken):
        assert [upload(client, url, length=length) for _ in range(2)] == [413, 413]
        assert len(taken) == 2, "a request went out behind half of another one"


def test_an_upstream_that_neither_reads_nor_answers_is_504():
    with server(lambda sock: None) as (url, _), pytest.raises(UpstreamError) as caught:
        upload(Client(5, 0.2), url)
    assert (caught.value.status, caught.value.sent) == (504, True)


def test_the_read_timeout_starts_again_with_every_byte(monkeypatch):
    """By a clock of the test's own, on which nine tenths of it pass before each byte."""
    now, got, wanted, looked, over = [0.0], [], threading.Semaphore(), threading.Event(), threading.Event()
    on_timer = connections.Connection._on_timer

    def look(conn: connections.Connection) -> None:
        on_timer(conn)
        looked.set()

    def drip(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        for _ in range(12):
            wanted.acquire()
            now[0] += 0.09
            looked.clear()
            assert looked.wait(20)
            sock.sendall(b".")
        wanted.acquire()
        while not over.wait(0.01):
            now[0] += 0.09

    monkeypatch.setattr(connections.Connection, "_on_timer", look)
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with server(drip) as (url, _):
        answer = Client(5, 0.1).send(url, Request("GET", "/models", [], None, None))
        with pytest.raises(Interrupted) as caught:
            for chunk in answer.chunks:
                got.append(chunk)
                wanted.release()
        over.set()
        answer.close()
    assert caught.value.timeout and b"".join(got) == b"." * 12


@pytest.mark.parametrize("body", [None, repeat(b"x" * 1000)], ids=["waiting", "sending"])
def test_a_request_ends_at_its_deadline_however_long_the_read_timeout_is(body):
    def read_on(sock: socket.socket) -> None:
        while sock.recv(65536):
            pass

    request = Request("POST", "/files", [], body, None, time.monotonic() + 0.2)
    with server(read_on) as (url, _), pytest.raises(UpstreamError) as caught:
        Client(5, 3600).send(url, request)
    assert (caught.value.status, caught.value.sent) == (504, True)


def test_a_deadline_ends_a_wait_before_the_read_timeout():
    def late(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        over.wait(60)
        sock.sendall(b"ok")

    over = threading.Event()
    with server(late) as (url, _):
        answer = Client(5, 3600).send(url, Request("GET", "/models", [], None, None))
        answer.stop_at(time.monotonic() + 0.2)
        with pytest.raises(Interrupted) as caught:
            next(answer.chunks)
        over.set()
        answer.close()
    assert caught.value.timeout


def test_a_request_is_sent_completely_although_a_success_is_answered_early(client):
    got = []

    def echo(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        while sum(got) < 50_000_000:
            got.append(len(sock.recv(1 << 20)))
        sock.sendall(b"%8d" % sum(got))

    with server(echo) as (url, _):
        answer = client.send(url, Request("POST", "/files", [], bytes(50_000_000), 50_000_000))
        assert b"".join(answer.chunks) == b"50000000"


@pytest.mark.parametrize(
    ("url", "name", "value"),
    [
        ("http://127.0.0.1:1/v1 x", "a", "b"),
        ("http://127.0.0.1:1/v1", "a", "b\r\nx: y"),
        ("http://127.0.0.1:1", "a", "b\n"),
        ("http://127.0.0.1:1", "a\r", "b"),
        ("http://127.0.0.1:1", "a", "€"),
    ],
)
def test_a_request_with_a_line_break_or_space_in_its_head_is_not_sent(client, url, name, value):
    with pytest.raises(UpstreamError) as caught:
        client.send(url, Request("GET", "/models", [(name, value)], None, None))
    assert (caught.value.status, caught.value.sent) == (502, False)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The TLS context of a server for 127.0.0.1, with a certificate that this process trusts."""
    public, secret = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    connections._tls.cache_clear()
    yield server_context(public, secret)
    connections._tls.cache_clear()


def test_over_tls_connections_are_kept_and_sessions_resumed(client, tls):
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with server(answering(OK, last), tls) as (url, taken):
        assert [get(client, url) for _ in range(3)] == [(200, b"ok")] * 3
        assert len(taken) == 2 and taken[1].session_reused


def test_over_tls_a_large_body_is_sent_completely_although_the_server_sends_tls_records_first(client, tls):
    sizes = []

    def count(sock: socket.socket) -> None:
        read_head(sock)
        sizes.append(0)
        while sizes[-1] < 20_000_000:
            sizes[-1] += len(sock.recv(1 << 20))
        sock.sendall(OK)

    with server(count, tls) as (url, _):
        assert upload(client, url, size=20_000_000) == 200
    assert sizes == [20_000_000]


def test_over_tls_an_answer_of_many_records_is_received_completely(client, tls):
    many = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
    with server(answering(many, many), tls) as (url, taken):
        assert [get(client, url) for _ in range(2)] == [(200, bytes(300_000))] * 2
        assert len(taken) == 1


def test_over_tls_an_error_that_the_server_sends_before_it_has_read_the_body_is_received(client, tls):
    def refuse(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    with server(refuse, tls) as (url, _):
        assert upload(client, url) == 413


def test_over_tls_an_untrusted_certificate_is_refused(client, tls):
    connections._tls.cache_clear()
    with pytest.MonkeyPatch.context() as other:
        other.delenv("SSL_CERT_FILE")
        with server(answering(OK), tls) as (url, _), pytest.raises(UpstreamError, match="does not trust") as caught:
            get(client, url)
    assert (caught.value.status, caught.value.sent) == (502, False)


def test_these_tests_pass_with_the_sockets_of_gevent_too():
    """The gateway runs with gevent's sockets, which let other calls run during a wait."""
    run = "from gevent import monkey; monkey.patch_all(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not gevent", __file__]
    done = subprocess.run([sys.executable, "-c", run, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_reader_that_was_away_does_not_wait_for_what_has_come_meanwhile(client, monkeypatch):
    monkeypatch.setattr(connections, "AWAY", -1)
    second, third = threading.Event(), threading.Event()

    def serve(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none")
        assert second.wait(60)
        sock.sendall(b"two")
        assert third.wait(60)
        sock.sendall(b"six")

    with server(serve) as (url, _):
        answer = client.send(url, Request("GET", "/models", [], None, None))
        assert next(answer.chunks) == b"one"
        second.set()
        while not answer._conn.readable():
            gevent.sleep(0)
        with monkeypatch.context() as patch:
            patch.setattr(answer._conn, "_hub", None)  # it would wait there
            assert next(answer.chunks) == b"two"
        third.set()
        assert next(answer.chunks) == b"six"
        answer.close()
