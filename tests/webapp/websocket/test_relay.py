"""The relay alone in the test's process, between two sockets: bytes, order, pings, closes, and the rows they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
import pytest
from alone import ListLedger
from gevent import socket
from gevent.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from webapp.metering.tags import NO_TAGS
from webapp.websocket.end import MAX_QUEUED, End, Message
from webapp.websocket.meaning import Meaning
from webapp.websocket.paths import PATHS
from webapp.websocket.relay import Relay, Seconds
from webapp.websocket.responses import Responses
from webapp.websocket.session import Session

LIMIT = 1 << 20
SECONDS = Seconds(600, 600, 5)


def client_protocol() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=LIMIT)


def server_protocol() -> ServerProtocol:
    return ServerProtocol(state=State.OPEN, max_size=LIMIT)


class Peer:
    """A client, or OpenAI, with a raw socket; ``frames``: what it got, in order."""

    def __init__(self, sock: socket.socket, protocol: Any) -> None:
        self.sock, self.protocol, self.frames = sock, protocol, []
        self.reader = gevent.spawn(self._read)

    def _read(self) -> None:
        with suppress(OSError):
            while data := self.sock.recv(65536):
                self.protocol.receive_data(data)
                self.frames += self.protocol.events_received()
                for reply in self.protocol.data_to_send():
                    if reply:
                        self.sock.sendall(reply)
            self.sock.close()

    @property
    def messages(self) -> list[tuple[Opcode, bytes, bool]]:
        """Frames that are part of a message: kind, payload, whether it is the last."""
        return [(f.opcode, bytes(f.data), f.fin) for f in self.frames if f.opcode <= Opcode.BINARY]

    def of(self, opcode: Opcode) -> list[bytes]:
        return [bytes(frame.data) for frame in self.frames if frame.opcode == opcode]


class Deaf(Meaning):
    """A session in which nothing is billed."""

    def asked(self, data: bytes) -> bytes | None:
        return None

    def answered(self, data: bytes) -> None:
        return None


class Line:
    """A relay between a client and OpenAI."""

    def __init__(self, meaning: Any = Deaf, seconds: Seconds = SECONDS) -> None:
        self.ledger = ListLedger()
        session = Session(self.ledger, b"", PATHS["/responses"].route, NO_TAGS)
        session.opened = self.ledger.open({}, None)
        ours, theirs = socket.socketpair(), socket.socketpair()
        self.client, self.openai = Peer(ours[0], client_protocol()), Peer(theirs[0], server_protocol())
        self.relay = Relay(
            "s", End(ours[1], server_protocol()), End(theirs[1], client_protocol()), meaning(session, 60), seconds
        )
        self.running = gevent.spawn(self.relay.run)

    def close(self) -> None:
        """The client closes; returns when the session is over."""
        self.client.protocol.send_close(1000)
        self.client.sock.sendall(b"".join(self.client.protocol.data_to_send()))
        self.running.join(10)
        assert self.running.ready()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.running.kill()


def until(condition: Any) -> None:
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0)


kinds = st.sampled_from([Opcode.TEXT, Opcode.BINARY])
messages = st.lists(st.tuples(kinds, st.lists(st.binary(max_size=300), min_size=1, max_size=4)), max_size=6)


def frames(message: tuple[Opcode, list[bytes]]) -> list[Frame]:
    kind, fragments = message
    last = len(fragments) - 1
    return [Frame(Opcode.CONT if n else kind, data, n == last) for n, data in enumerate(fragments)]


def wire(data: st.DataObject, sent: list[Any], *, mask: bool) -> tuple[bytes, int]:
    """The bytes of these messages with pings anywhere between their frames, and how many pings."""
    parts, pings = [], 0
    for frame in [frame for message in sent for frame in frames(message)]:
        if data.draw(st.integers(0, 3)) == 0:
            parts.append(Frame(Opcode.PING, b"p%d" % pings).serialize(mask=mask))
            pings += 1
        parts.append(frame.serialize(mask=mask))
    return b"".join(parts), pings


def pieces(data: st.DataObject, content: bytes) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True) if a < b]


@settings(max_examples=60, deadline=None)
@given(st.data(), messages, messages)
def test_frames_pass_both_ways_byte_for_byte_however_the_bytes_arrive(
    data: st.DataObject, asked: list[Any], answered: list[Any]
) -> None:
    line = Line()
    up, up_pings = wire(data, asked, mask=True)
    down, down_pings = wire(data, answered, mask=False)
    left = {line.client.sock: pieces(data, up), line.openai.sock: pieces(data, down)}
    while any(left.values()):
        sock = data.draw(st.sampled_from([sock for sock, parts in left.items() if parts]))
        sock.sendall(left[sock].pop(0))
        gevent.sleep(0)
    wanted = [[(f.opcode, f.data, f.fin) for m in sent for f in frames(m)] for sent in (asked, answered)]
    until(lambda: [line.openai.messages, line.client.messages] == wanted)
    until(lambda: len(line.client.of(Opcode.PONG)) == up_pings and len(line.openai.of(Opcode.PONG)) == down_pings)
    line.close()


USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
def test_any_order_of_lanes_and_split_of_frames_leaves_one_row_for_each_response(
    data: st.DataObject, lanes: list[str]
) -> None:
    line = Line(Responses)
    scripts: dict[str, list[str]] = {}
    for number, lane in enumerate(lanes):
        create = {"type": "response.create", "model": f"m-{number}", "stream_id": lane, "input": "é"}
        fragments = pieces(data, json.dumps(create).encode())
        for frame in frames((Opcode.TEXT, fragments)):
            line.client.sock.sendall(frame.serialize(mask=True))
        response = {"id": f"resp_{number}", "model": f"served-{number}"}
        kind = data.draw(st.sampled_from(["completed", "incomplete", "failed"]))
        usage = USAGE | {"output_tokens": number, "total_tokens": 10 + number}
        scripts.setdefault(lane, []).extend(json.dumps(event | {"stream_id": lane}) for event in (
            {"type": "response.created", "response": response}, {"type": "response.output_text.delta", "delta": "x"},
            {"type": f"response.{kind}", "response": response | {"usage": usage}},
        ))  # fmt: skip
    until(lambda: len([m for m in line.openai.messages if m[2]]) == len(lanes))
    while any(scripts.values()):
        lane = data.draw(st.sampled_from(sorted(lane for lane, events in scripts.items() if events)))
        text = scripts[lane].pop(0).encode()
        for frame in frames((Opcode.TEXT, pieces(data, text))):
            line.openai.sock.sendall(frame.serialize(mask=False))
    until(lambda: len([m for m in line.client.messages if m[2]]) == 3 * len(lanes))
    rows = sorted((row["model_requested"], row["model"], row["upstream_object_id"]) for row in line.ledger.settled)
    assert rows == sorted((f"m-{n}", f"served-{n}", f"resp_{n}") for n in range(len(lanes)))
    assert all(row["usage"]["output_tokens"] == int(row["model"][7:]) for row in line.ledger.settled)
    line.close()


def test_a_ping_is_answered_while_openai_takes_nothing(line: Line) -> None:
    line.openai.reader.kill()
    block = Frame(Opcode.BINARY, bytes(200_000)).serialize(mask=True)
    for _ in range(4):
        line.client.sock.sendall(block)
    line.client.sock.sendall(Frame(Opcode.PING, b"there?").serialize(mask=True))
    until(lambda: line.client.of(Opcode.PONG) == [b"there?"])


def test_a_sender_has_to_wait_when_the_other_side_takes_nothing(line: Line) -> None:
    line.openai.reader.kill()
    block = Frame(Opcode.BINARY, bytes(500_000)).serialize(mask=True)
    sent = []

    def send() -> None:
        for number in range(40):
            line.client.sock.sendall(block)
            sent.append(number)

    sender = gevent.spawn(send)
    for _ in range(2000):
        gevent.sleep(0)
    assert len(sent) < 20  # of 20 MB, what two sockets and one queue hold
    line.openai.reader = gevent.spawn(line.openai._read)
    sender.join(10)
    until(lambda: len(line.openai.messages) == 40)


@pytest.mark.parametrize(("code", "reason"), [(1001, "going away"), (4000, "ours"), (1005, "")])
def test_a_close_of_openais_is_passed_on_with_its_code_and_reason(line: Line, code: int, reason: str) -> None:
    line.openai.protocol.send_close(*() if code == 1005 else (code, reason))
    line.openai.sock.sendall(b"".join(line.openai.protocol.data_to_send()))
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, line.client.protocol.close_rcvd.reason) == (code, reason)
    assert (line.relay.code, line.relay.closed_by) == (code, "openai")


def test_what_openai_sent_before_its_close_arrives_although_the_client_still_sends(line: Line) -> None:
    held = Event()
    line.relay._meaning.answered = lambda data: held.wait()
    line.openai.sock.sendall(Frame(Opcode.TEXT, b"the last").serialize(mask=False))
    line.openai.protocol.send_close(4000, "ours")
    line.openai.sock.sendall(b"".join(line.openai.protocol.data_to_send()))
    until(lambda: line.relay._upstream.code == 4000)
    line.client.sock.sendall(Frame(Opcode.TEXT, b"too late").serialize(mask=True))
    moved = line.relay._client.moved
    until(lambda: line.relay._client.moved > moved and not line.relay._client._queue)
    gevent.sleep(0)
    held.set()
    line.running.join(10)
    assert [data for _, data, _ in line.client.messages] == [b"the last"]
    assert (line.client.protocol.close_rcvd.code, line.relay.closed_by) == (4000, "openai")


def test_a_close_of_the_clients_is_passed_on(line: Line) -> None:
    line.client.protocol.send_close(3000, "bye")
    line.client.sock.sendall(b"".join(line.client.protocol.data_to_send()))
    line.running.join(10)
    assert (line.openai.protocol.close_rcvd.code, line.openai.protocol.close_rcvd.reason) == (3000, "bye")
    assert (line.relay.code, line.relay.closed_by) == (3000, "client")


def test_a_message_that_is_too_long_closes_the_session_with_1009(line: Line) -> None:
    line.client.sock.sendall(Frame(Opcode.TEXT, bytes(LIMIT + 1)).serialize(mask=True)[:70_000])
    line.running.join(10)
    assert line.client.protocol.close_rcvd.code == 1009
    assert (line.relay.code, line.relay.closed_by) == (1009, "spendai")


def test_a_message_of_endless_empty_fragments_closes_the_session_with_1009(line: Line) -> None:
    first, more = Frame(Opcode.TEXT, b"", False).serialize(mask=True), Frame(Opcode.CONT, b"", False)
    line.client.sock.sendall(first + more.serialize(mask=True) * 70_000)
    line.running.join(10)
    assert line.client.protocol.close_rcvd.code == 1009
    assert (line.relay.code, line.relay.closed_by) == (1009, "spendai")


def test_empty_messages_that_nobody_takes_are_not_kept_without_end() -> None:
    ours, theirs = socket.socketpair()
    end = End(theirs, server_protocol())
    sender = gevent.spawn(ours.sendall, Frame(Opcode.TEXT, b"").serialize(mask=True) * 200_000)
    until(lambda: end._queued > MAX_QUEUED)  # from here on the end reads no further than the bytes it has
    for _ in range(1000):
        gevent.sleep(0)
    assert not sender.ready()
    assert len(end._queue) < 40_000
    end.give_up()
    sender.kill()


def test_a_side_that_does_not_answer_a_close_leaves_no_open_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.websocket.end.CLOSE_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    end = End(theirs, server_protocol())
    end.close(1000)
    assert theirs.fileno() == -1 and end._reader.dead
    ours.close()


def test_others_run_while_a_flood_of_pings_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[int] = []
    monkeypatch.setattr("webapp.websocket.end.Pause", lambda: lambda: rests.append(1))
    line = Line()
    line.client.sock.sendall(Frame(Opcode.PING, b"").serialize(mask=True) * 5000)
    until(lambda: len(line.client.of(Opcode.PONG)) == 5000)
    assert len(rests) >= 5000 * 6 // 4096
    line.close()


def test_bytes_that_are_no_frames_close_the_session_with_1002(line: Line) -> None:
    line.client.sock.sendall(b"\xff\xff\xff\xff\xff\xff\xff\xff")
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, line.relay.code) == (1002, 1002)


def test_a_connection_that_openai_drops_closes_the_session_with_1011(line: Line) -> None:
    line.openai.sock.shutdown(socket.SHUT_RDWR)
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, line.relay.code, line.relay.closed_by) == (1011, 1006, "openai")


def test_a_side_that_is_silent_in_spite_of_pings_is_given_up(line: Line) -> None:
    client, openai = line.relay._client, line.relay._upstream
    client.heard -= 1000
    openai.heard -= 30  # seconds: it is asked whether it is still there
    line.relay._tick()
    line.running.join(10)
    assert (line.relay.code, line.relay.closed_by) == (1006, "client")


def test_a_side_that_says_nothing_for_a_while_is_pinged(line: Line) -> None:
    line.relay._client.heard -= 30
    line.relay._tick()
    until(lambda: line.client.of(Opcode.PING) == [b""])
    until(lambda: line.relay._client.tick(0) and line.relay._client.heard > line.relay._client.moved)
    line.close()


@pytest.mark.parametrize(("past", "seconds"), [("_began", Seconds(600, 60, 5)), ("moved", Seconds(60, 600, 5))])
def test_a_session_ends_that_lasts_too_long_or_says_nothing(past: str, seconds: Seconds) -> None:
    line = Line(seconds=seconds)
    for one in (line.relay,) if past == "_began" else (line.relay._client, line.relay._upstream):
        setattr(one, past, getattr(one, past) - 100)
    line.relay._tick()
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, line.relay.closed_by) == (1001, "spendai")


def test_a_session_that_is_told_to_stop_ends_its_response_and_then_with_1012() -> None:
    line = Line(Responses)
    create = json.dumps({"type": "response.create", "model": "m"}).encode()
    line.client.sock.sendall(Frame(Opcode.TEXT, create).serialize(mask=True))
    until(lambda: line.openai.messages)
    line.relay.stop()
    line.client.sock.sendall(Frame(Opcode.TEXT, create).serialize(mask=True))
    until(lambda: line.client.messages)
    assert json.loads(line.client.messages[0][1])["error"]["code"] == "restarting"
    done = json.dumps({"type": "response.completed", "response": {"id": "r", "model": "m", "usage": USAGE}}).encode()
    line.openai.sock.sendall(Frame(Opcode.TEXT, done).serialize(mask=False))
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, len(line.client.messages)) == (1012, 2)
    assert [row["outcome"] for row in line.ledger.settled] == ["complete"]


def test_a_session_without_a_response_under_way_stops_at_once(line: Line) -> None:
    line.relay.stop()
    line.running.join(10)
    assert line.client.protocol.close_rcvd.code == 1012


def test_a_defect_of_ours_ends_the_session_and_logs_no_word_of_the_message(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(data: bytes) -> None:
        raise RuntimeError(data)

    line.relay._meaning.asked = broken
    line.client.sock.sendall(Frame(Opcode.TEXT, b"secret-prompt").serialize(mask=True))
    line.running.join(10)
    assert line.client.protocol.close_rcvd.code == 1011
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_message_in_fragments_is_one_message() -> None:
    assert Message(Opcode.TEXT, (b"a", b"b")).data == b"ab"
