"""A worker's idle connections, and the bytes that our Response sends."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event
from gunicorn.config import Config
from gunicorn.http.errors import InvalidResponseHeader

from webapp.server import worker
from webapp.server.response import Last, Response
from webapp.server.worker import Idle, Worker, end


class Connection:
    """A client's connection that waits for a request, then answers it."""

    def __init__(self, waiting: dict[gevent.Greenlet, Idle], seconds: float = 60) -> None:
        self.waiting, self.seconds, self.request, self.outcome = waiting, seconds, Event(), "idle"
        self.greenlet = gevent.spawn(self._serve)
        gevent.idle()

    def _serve(self) -> None:
        with Idle(self.seconds, self.waiting):
            self.request.wait()
            self.outcome = "asked"
        if self.outcome == "asked":
            gevent.idle()
            self.outcome = "answered"
        else:
            self.outcome = "ended"


def test_a_connection_is_kept_no_longer_than_its_request_takes():
    made, sock = object.__new__(Worker), SimpleNamespace(serving=False, kept=False)
    response = SimpleNamespace(start_response=None, should_close=lambda: False, close=lambda: None)
    made.alive, made._begin = True, lambda *_: (response, {})

    def app(environ, start_response):
        assert sock.serving
        sock.kept = True
        return []

    made.wsgi = app
    made.handle_request(None, None, sock, None)
    assert not (sock.serving or sock.kept)


def test_the_connection_idle_for_the_longest_is_closed_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(worker, "KEPT_IDLE", 3)
    waiting: dict[gevent.Greenlet, Idle] = {}
    connections = [Connection(waiting) for _ in range(5)]
    gevent.idle()
    assert [connection.outcome for connection in connections] == ["ended", "ended", "idle", "idle", "idle"]
    assert list(waiting) == [connection.greenlet for connection in connections[2:]]
    gevent.killall([connection.greenlet for connection in connections])


@pytest.mark.parametrize(("first", "outcome"), [("request", "answered"), ("end", "ended")])
def test_a_request_that_comes_before_the_end_of_its_connection_is_answered(first, outcome):
    waiting: dict[gevent.Greenlet, Idle] = {}
    connection = Connection(waiting)
    idle = waiting[connection.greenlet]
    if first == "request":
        connection.request.set()
        end(connection.greenlet, idle)
    else:
        end(connection.greenlet, idle)
        connection.request.set()
    connection.greenlet.join()
    assert connection.outcome == outcome and not waiting


def test_a_connection_that_was_idle_for_too_long_is_closed_and_another_stays():
    waiting: dict[gevent.Greenlet, Idle] = {}
    short, long = Connection(waiting, seconds=0), Connection(waiting)
    short.greenlet.join()
    assert (short.outcome, long.outcome) == ("ended", "idle") and list(waiting) == [long.greenlet]
    long.greenlet.kill()


def test_a_connection_that_begins_to_wait_just_when_the_worker_is_told_to_stop_is_closed():
    stopped = worker.Worker.__new__(worker.Worker)
    stopped.alive, stopped.waiting, stopped.cfg = True, {}, SimpleNamespace(keepalive=3600)
    stopped.share, stopped.wind_down = SimpleNamespace(leave=lambda: None), lambda: None

    def serve() -> None:
        idle = stopped.timeout_ctx()
        stopped.handle_exit(signal.SIGTERM, None)  # the signal comes before the connection is listed
        with idle:
            Event().wait()

    connection = gevent.spawn(serve)
    connection.join(30)
    assert connection.successful() and not stopped.waiting


class Wire:
    """A socket that remembers what was sent, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def send(self, data: bytes) -> int:
        self.writes.append(data)
        return len(data)


class Asked:
    """The attributes of a request that a response reads."""

    def __init__(self, method: str = "GET") -> None:
        self.method, self.version = method, (1, 1)

    def should_close(self) -> bool:
        return False


def answered(
    headers: list[tuple[str, str]], *pieces: bytes, method: str = "GET", status: str = "200 OK"
) -> list[bytes]:
    wire = Wire()
    response = Response(Asked(method), wire, Config())
    response.start_response(status, headers)
    for piece in pieces:
        response.write(piece)
    response.close()
    return wire.writes


def test_head_and_first_bytes_are_one_write():
    (whole,) = answered([("Content-Length", "2"), ("x-a", "1"), ("Connection", "x"), ("Server", "x")], b"ok")
    head, _, body = whole.partition(b"\r\n\r\n")
    assert body == b"ok"
    names = [line.split(b":")[0] for line in head.split(b"\r\n")]
    assert names == [b"HTTP/1.1 200 OK", b"Server", b"Date", b"Connection", b"Content-Length", b"x-a"]
    first, second, last = answered([], b"a", b"", b"bc")
    assert first.endswith(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    assert (second, last) == (b"2\r\nbc\r\n", b"0\r\n\r\n")


def test_an_empty_piece_sends_the_head_at_once():
    head, first, last = answered([("content-type", "text/event-stream")], b"", b"data: 1\n\n")
    assert head.endswith(b"content-type: text/event-stream\r\n\r\n")
    assert (first, last) == (b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n")


def test_the_end_of_a_chunked_answer_goes_out_with_its_last_bytes():
    (whole,) = answered([], Last(b"all"))
    assert whole.endswith(b"\r\n\r\n3\r\nall\r\n0\r\n\r\n")
    assert answered([], b"a", Last(b"bc"), b"")[1:] == [b"2\r\nbc\r\n0\r\n\r\n"]
    assert answered([("Content-Length", "2")], Last(b"ok"))[0].endswith(b"\r\n\r\nok")
    (head,) = answered([], Last(b"x"), method="HEAD")
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
def test_an_answer_without_a_body_is_a_head(method, status):
    (head,) = answered([("x", "1")], b"", method=method, status=status)
    assert head.endswith(b"\r\nx: 1\r\n\r\n") and b"chunked" not in head


def test_the_body_of_an_answer_to_head_is_dropped_without_a_line_in_the_log(caplog):
    with caplog.at_level("DEBUG"):
        (head,) = answered([("Content-Length", "5")], b"error", method="HEAD", status="401 Unauthorized")
    assert head.endswith(b"\r\nContent-Length: 5\r\n\r\n") and not caplog.records


@pytest.mark.parametrize(
    "header", [("x", "a\r\nb: c"), ("x", "a\nb"), ("x: y", "a"), ("", "a"), ("x", "\x00"), ("x", "€")]
)
def test_a_header_that_would_break_its_line_is_not_sent(header):
    with pytest.raises(InvalidResponseHeader):
        answered([("x-good", "1"), header], b"")
