"""The upgrade at OpenAI: answers of every kind, TLS, base URLs with a path and in a circle."""

from __future__ import annotations

import datetime
import json
import ssl
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_socket import FakeSocket
from fake_upstream import FakeUpstream, reply
from gevent import socket
from socket_client import Client
from stack import Stack
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.utils import accept_key

from webapp.errors import ApiError
from webapp.gateway.refusals import CallFailed
from webapp.ledger.ledger import Ledger, LedgerUnavailable
from webapp.metering.tags import NO_TAGS
from webapp.upstream.connections import Origin
from webapp.websocket.handshake import Asked, Refused, Upgrade, dial, first, is_upgrade, key_in, sent_on, told_in
from webapp.websocket.visit import Visit


def dialled(answer: str, *, protocols: tuple[str, ...] = (), open_end: bool = False, seconds: float = 10) -> Any:
    """Ask a server that sends this answer; ``{accept}`` in it becomes the value that the handshake demands."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        head = theirs.recv(65536).decode()
        key = head.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        theirs.sendall(answer.replace("{accept}", accept_key(key)).encode("latin-1"))
        if not open_end:
            theirs.close()

    server = gevent.spawn(serve)
    try:
        return dial(ours, Origin("http://h/base/v1", 1), Asked("/responses", [], list(protocols)), 1000, seconds)
    finally:
        server.join(5)
        ours.close(), theirs.close()


OK = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"


@pytest.mark.parametrize("answer", [
    "", "garbage\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n", OK, OK.replace("{accept}", "x") + "\r\n", "HTTP/1.1 200\r\n" * 200,
    OK + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", OK + "Sec-WebSocket-Protocol: other\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
])  # fmt: skip
def test_an_answer_that_is_no_websocket_that_was_asked_for_is_not_taken_for_one(answer: str) -> None:
    with pytest.raises((InvalidHandshake, OSError)):
        dialled(answer, protocols=("realtime",))


@pytest.mark.parametrize("status", [200, 204, 301, 401, 403, 429, 500, 503])
def test_any_other_status_is_kept_for_the_client(status: int) -> None:
    with pytest.raises(Refused) as refused:
        dialled(f"HTTP/1.1 {status} x\r\nLocation: http://elsewhere/\r\nContent-Length: 2\r\n\r\n" + "no")
    assert refused.value.response.status_code == status


@pytest.mark.parametrize("answer", ["", "HTTP/1.1 101 x\r\nA: b", "HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\n"])
def test_an_answer_that_does_not_end_is_not_waited_for_without_end(answer: str) -> None:
    with pytest.raises(TimeoutError):
        dialled(answer, open_end=True, seconds=0.01)


def test_a_header_that_is_there_twice_counts_once() -> None:
    _, headers = dialled(OK + "x-request-id: a\r\nx-request-id: b\r\n\r\n")
    assert (first(headers, "x-request-id"), first(headers, "openai-project")) == ("a", None)


def test_a_key_in_a_subprotocol_is_found_and_kept_however_its_name_is_written() -> None:
    offered = ["OpenAI-Insecure-API-Key.sk-spend-x", "OPENAI-PROJECT.p", "realtime"]
    assert (key_in(offered), sent_on(offered)) == ("sk-spend-x", ["realtime"])


def test_only_a_get_asks_for_a_websocket() -> None:
    assert [is_upgrade({"REQUEST_METHOD": m, "HTTP_UPGRADE": "WebSocket"}) for m in ("GET", "POST")] == [True, False]


def visit(**environ: Any) -> tuple[Visit, list[tuple[int, str]]]:
    """A visit, and how its session was noted to end."""
    ends: list[tuple[int, str]] = []
    session = SimpleNamespace(opened={"org_id": "o"}, shared=False, tags=NO_TAGS, id="s")
    session.end = lambda *end: ends.append(end)
    gateway = SimpleNamespace(client=None, config=None)
    return Visit(gateway, environ, session, None, ""), ends


def test_a_session_that_is_one_too_many_of_its_organization_is_noted_as_ended() -> None:
    def opened(org_id: str) -> None:
        raise CallFailed("error", ApiError(503, "too_many_calls", "too many"))

    made, ends = visit()
    with pytest.raises(CallFailed):
        made.serve(None, None, None, SimpleNamespace(opened=opened))
    assert ends == [(503, "spendai")]


def test_the_connection_to_openai_is_closed_when_the_client_cannot_be_answered() -> None:
    made, ends = visit()
    _, told = dialled(OK + "x-odd: \xff\r\n\r\n")
    closed: list[int] = []
    made._dialled = lambda: (SimpleNamespace(close=closed.append), told)
    with pytest.raises(KeyError):  # there is no connection to take over
        made.serve(None, None, None, SimpleNamespace(opened=lambda org_id: None))
    assert (closed, ends) == ([1001], [(500, "spendai")])


def test_nobody_waits_for_the_note_of_a_sessions_end_while_the_database_is_away(monkeypatch: Any) -> None:
    noted: list[Any] = []

    def submit(kind: str, message: Any, seconds: float) -> None:
        noted.append(message)
        if len(noted) < 3:
            raise LedgerUnavailable("away", sent=False)

    ledger = object.__new__(Ledger)
    ledger._batcher = SimpleNamespace(submit=submit)
    nap = gevent.sleep
    monkeypatch.setattr("webapp.ledger.ledger.gevent.sleep", lambda seconds: nap(0))
    ledger.end_session({"id": "s"})
    assert len(noted) == 1
    for _ in range(10):
        nap(0)
    assert len(noted) == 3


def test_a_base_url_that_leads_back_here_is_refused(sockets: Stack, connect_to: Any) -> None:
    sockets.found_with_key("lou", "Loop", sockets.proxy, "sk-loop")
    with pytest.raises(InvalidStatus) as refused:
        connect_to("/responses", "lou", headers={"Authorization": f"Bearer {sockets.key('lou')}"})
    assert refused.value.response.status_code == 508
    row = sockets.conn.execute("select * from public.sessions order by started_at desc limit 1").fetchone()
    assert row["state"] == "ended"


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """The TLS context of a server for 127.0.0.1, and the file of the certificate that its clients have to trust."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "t")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(
        now + datetime.timedelta(1))  # fmt: skip
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=True).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(signed.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context, str(tmp_path / "both.pem")


def test_over_tls_and_below_a_path_long_messages_pass_both_ways(
    stack_dsns: Any, tls: tuple[ssl.SSLContext, str]
) -> None:
    def session(ws: Any) -> None:
        got.append(len(ws.recv()))
        done = {
            "id": "r",
            "model": "gpt-5.2",
            "usage": {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500},
        }
        ws.send(json.dumps({"type": "response.completed", "response": {**done, "padding": "x" * 3_000_000}}))
        ws.recv()

    got: list[int] = []
    with FakeSocket(tls[0]) as fake:
        fake.script("/some/v1/responses", session)
        environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "WORKERS": "1", "SSL_CERT_FILE": tls[1],
                   "OPENAI_BASE_URL": fake.url.replace("/v1", "/some/v1")}  # fmt: skip
        with Stack(*stack_dsns("spendai_socket_tls"), **environ) as stack:
            client = Client(stack, "/responses", "ada")
            client.send(type="response.create", model="gpt-5.2", input="x" * 3_000_000)
            assert client.receive()["type"] == "response.completed"
            assert got[0] > 3_000_000
            assert [row["cost_status"] for row in client.rows()] == ["priced"]
            client.ws.close()
            stack.wait_for(lambda: client.session()["ended_at"])
            assert "Error" not in stack.log()


@pytest.mark.parametrize(("target", "sent"), [
    ("/openai/v1/realtime?api-version=2025-04-01-preview&model=gpt-realtime", "/v1/realtime?model=gpt-realtime"),
    ("/v1/responses?a=%7e&api-version=1", "/v1/responses?a=%7e"), ("//responses/", "/v1/responses"),
    ("/openai/realtime?deployment=b&model=a", "/v1/realtime?deployment=b&model=a"),
])  # fmt: skip
def test_sessions_reach_openai_by_its_own_address(openai: FakeSocket, connect_to: Any, target: str, sent: str) -> None:
    openai.script(sent.partition("?")[0], lambda _: None)
    connect_to(target)
    assert openai.upgrades[-1].path == sent


def test_headers_beyond_ascii_pass_byte_for_byte(sockets: Stack) -> None:
    with FakeUpstream() as odd:
        odd.queue("/v1/realtime", reply(429, [("x-odd", "\xe9\xff")], b"no"))
        sockets.found_with_key("una", "Unusual", odd.url, "sk-odd")
        client = HTTPConnection("127.0.0.1", sockets.port, timeout=20)
        client.request("GET", "/api/v1/proxy/realtime?model=m", headers={
            "Authorization": f"Bearer {sockets.key('una')}", "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 22 + "==", "X-Odd": "caf\xc3\xa9",
        })  # fmt: skip
        answer = client.getresponse()
        assert (answer.status, answer.getheader("x-odd"), answer.read()) == (429, "\xe9\xff", b"no")
        assert odd.requests[0].header("x-odd") == "caf\xc3\xa9"
        client.close()


def test_headers_beyond_ascii_pass_in_the_answer_to_an_upgrade() -> None:
    _, told = dialled(OK + "x-odd: \xe9\r\n\r\n")
    upgrade = {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket", "HTTP_SEC_WEBSOCKET_KEY": "A" * 22 + "==",
               "HTTP_SEC_WEBSOCKET_VERSION": "13"}  # fmt: skip
    assert b"\r\nx-odd: \xe9\r\n" in Upgrade(upgrade, 1000).accept(told_in(told)[-1:])


@pytest.mark.parametrize("query", ["call%5Fid=rtc_others", "Conversation_ID=conv_others"])
def test_on_a_shared_key_no_query_may_name_what_openai_stores(connect_to: Any, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect_to(f"/realtime?model=gpt-realtime-2&{query}", "ada")
    assert json.loads(refused.value.response.body)["error"]["code"] == "needs_own_openai_key"
