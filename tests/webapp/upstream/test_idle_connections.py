"""Kept connections that the server closes: at which moments a request is sent once more, and when it never is."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable

import pytest
from test_client import OK, Serve, answering, kept, read_head, server, tls

from webapp.upstream import connections
from webapp.upstream.client import Client, UpstreamError
from webapp.upstream.connections import Connection
from webapp.upstream.exchange import Request

__all__ = ["tls"]
BODY = b'{"model": "gpt-4o-mini"}'


@pytest.fixture
def client() -> Client:
    return Client(5, 5)


def post(client: Client, url: str, method: str = "POST", body: object = BODY) -> int:
    answer = client.send(url, Request(method, "/chat/completions", [], body, len(BODY) if body else None))
    assert b"".join(answer.chunks) == b"ok"
    answer.close()
    return answer.status


def reset(sock: socket.socket) -> None:
    """Closes a connection with a reset instead of an orderly end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def first(then: Callable[[socket.socket], None]) -> tuple[Serve, list[bytes]]:
    """A server that does `then` with its first connection after one answer; the heads of requests it has read."""
    heads: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        begins = not heads
        heads.append(read_head(sock))
        sock.sendall(OK)
        if begins:
            then(sock)
        else:
            heads.append(read_head(sock))
            sock.sendall(OK)

    return serve, heads


def over_but_unnoticed(client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the client with a kept connection that is over, as if its end crossed the next request on its way."""
    conn = kept(client, url)
    assert select.select([conn.sock], [], [], 5)[0], "the server did not close the connection"
    monkeypatch.setattr(Connection, "readable", lambda _: False)


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="the system does not let programs choose the times")
@pytest.mark.parametrize("over_tls", [False, True])
def test_a_nat_does_not_forget_a_connection_while_a_model_thinks(client, tls, over_tls):
    with server(answering(OK), tls if over_tls else None) as (url, _):
        sock = kept(client, url).sock
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        between = [sock.getsockopt(socket.IPPROTO_TCP, at) for at in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)]
        assert max(between) < 240  # seconds: Azure's NAT forgets a silent connection after 240, that of AWS after 350


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["closed", "reset"])
def test_a_post_on_a_connection_that_was_already_over_is_sent_once_more(client, monkeypatch, end):
    serve, heads = first(end)
    with server(serve) as (url, taken):
        over_but_unnoticed(client, url, monkeypatch)
        assert post(client, url) == 200
        assert (len(heads), len(taken)) == (2, 2)


def test_over_tls_a_post_on_a_connection_that_was_already_over_is_sent_once_more(client, tls, monkeypatch):
    with server(answering(OK), tls) as (url, taken):
        over_but_unnoticed(client, url, monkeypatch)
        assert post(client, url) == 200
        assert len(taken) == 2


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["closed", "reset"])
def test_a_post_that_was_received_is_never_sent_again_although_nothing_was_answered(client, end):
    def read_and_end(sock: socket.socket) -> None:
        read_head(sock)
        assert sock.recv(len(BODY), socket.MSG_WAITALL) == BODY
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        end(sock)

    serve, heads = first(read_and_end)
    with server(serve) as (url, taken):
        kept(client, url)
        with pytest.raises(UpstreamError) as caught:
            post(client, url)
        assert (caught.value.status, caught.value.sent) == (502, True)
        assert (len(heads), len(taken)) == (1, 1)


def test_a_get_that_was_received_and_not_answered_is_sent_once_more(client):
    def read_and_close(sock: socket.socket) -> None:
        read_head(sock)
        sock.close()

    serve, _ = first(read_and_close)
    with server(serve) as (url, taken):
        kept(client, url)
        assert post(client, url, "GET", None) == 200
        assert len(taken) == 2


def test_a_new_connection_that_ends_too_is_not_tried_again(client, monkeypatch):
    def serve(sock: socket.socket) -> None:
        read_head(sock)
        if len(taken) == 1:
            sock.sendall(OK)
        sock.close()

    with server(serve) as (url, taken):
        over_but_unnoticed(client, url, monkeypatch)
        with pytest.raises(UpstreamError) as caught:
            post(client, url)
        assert (caught.value.status, caught.value.sent, len(taken)) == (502, True, 2)


def test_an_upload_on_a_connection_that_was_already_over_is_502_and_was_not_sent(client, monkeypatch):
    with server(answering(OK)) as (url, taken):
        over_but_unnoticed(client, url, monkeypatch)
        with pytest.raises(UpstreamError) as caught:
            post(client, url, body=iter([BODY]))
        assert (caught.value.status, caught.value.sent, len(taken)) == (502, False, 1)


def test_an_upstream_that_is_gone_altogether_is_502_and_got_nothing(client, monkeypatch):
    with server(answering(OK)) as (url, _):
        over_but_unnoticed(client, url, monkeypatch)
    with pytest.raises(UpstreamError) as caught:
        post(client, url)
    assert (caught.value.status, caught.value.sent) == (502, False)


def test_where_the_system_does_not_count_acknowledgements_a_post_is_never_sent_again(client, monkeypatch):
    monkeypatch.setattr(connections.sys, "platform", "darwin")
    with server(answering(OK)) as (url, taken):
        over_but_unnoticed(client, url, monkeypatch)
        with pytest.raises(UpstreamError) as caught:
            post(client, url)
        assert (caught.value.status, caught.value.sent, len(taken)) == (502, True, 1)


def test_a_connection_that_ends_after_the_first_byte_of_an_answer_is_not_tried_again(client):
    def begin(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 ")
        sock.close()

    serve, _ = first(begin)
    with server(serve) as (url, taken):
        kept(client, url)
        with pytest.raises(UpstreamError) as caught:
            post(client, url, "GET", None)
        assert (caught.value.status, caught.value.sent, len(taken)) == (502, True, 1)
