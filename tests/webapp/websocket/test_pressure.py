"""Sessions whose sides stop reading, fall silent, or end while something is under way."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event
from test_relay import Line, until
from websockets.frames import Frame, Opcode

from webapp.ledger.ledger import LedgerUnavailable
from webapp.websocket import end as end_module
from webapp.websocket.live import Live
from webapp.websocket.relay import KEY_TICKS, Seconds
from webapp.websocket.responses import Responses

CREATE = json.dumps({"type": "response.create", "model": "m"}).encode()
BEGUN = json.dumps({"type": "response.created", "response": {"id": "r"}}).encode()
DONE = json.dumps({"type": "response.completed", "response": {"id": "r", "model": "m", "usage": {
    "input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}}).encode()  # fmt: skip
START = json.dumps({"type": "session.start", "session": {"model": "gpt-live-1"}}).encode()
STARTED = json.dumps({"type": "session.started", "session": {"id": "l", "model": "gpt-live-1"}}).encode()
CLOSED = json.dumps({"type": "session.closed", "usage": {"seconds": 90}}).encode()


def live(session: Any, seconds: int) -> Live:
    return Live(session, seconds, seconds)


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    made: list[Line] = []
    yield made
    for line in made:
        line.running.kill()


def asks(line: Line, data: bytes) -> None:
    line.client.sock.sendall(Frame(Opcode.TEXT, data).serialize(mask=True))


def says(line: Line, data: bytes) -> None:
    line.openai.sock.sendall(Frame(Opcode.TEXT, data).serialize(mask=False))


def turns() -> None:
    """Let everything run that does not have to wait for another side."""
    for _ in range(2000):
        gevent.sleep(0)


def texts(peer: Any) -> list[bytes]:
    return [data for _, data, _ in peer.messages]


def test_openais_answer_passes_while_openai_reads_nothing(lines: list[Line]) -> None:
    lines.append(line := Line())
    line.openai.reader.kill()  # like a server that reads only when its own message is sent
    sender = gevent.spawn(lambda: [asks(line, bytes(500_000)) for _ in range(8)])
    until(lambda: line.relay._client._queued > end_module.MAX_QUEUED)
    line.openai.sock.sendall(Frame(Opcode.PING, b"").serialize(mask=False))
    answers = gevent.spawn(lambda: [says(line, b"%d" % n + bytes(50_000)) for n in range(40)])
    until(lambda: len(line.client.messages) == 40)
    answers.join()
    line.openai.reader = gevent.spawn(line.openai._read)
    sender.join(10)
    until(lambda: len(line.openai.messages) == 8 and line.openai.of(Opcode.PONG))


def test_pings_of_a_side_that_reads_nothing_take_no_memory_without_end(lines: list[Line]) -> None:
    lines.append(line := Line())
    line.client.reader.kill()
    ping = Frame(Opcode.PING, bytes(100)).serialize(mask=True) * 500
    sender = gevent.spawn(lambda: [line.client.sock.sendall(ping) for _ in range(400)])
    turns()
    assert not sender.ready()
    assert len(line.relay._client._protocol.writes) < 3000
    sender.kill()


def test_messages_without_content_wait_like_others(lines: list[Line]) -> None:
    lines.append(line := Line())
    line.openai.reader.kill()
    many = Frame(Opcode.TEXT, b"").serialize(mask=True) * 10_000
    sender = gevent.spawn(lambda: [line.client.sock.sendall(many) for _ in range(40)])
    turns()
    assert len(line.relay._client._queue) < 30_000
    assert not sender.ready()
    sender.kill()


def test_a_message_in_fragments_without_end_closes_the_session(lines: list[Line], monkeypatch: Any) -> None:
    monkeypatch.setattr(end_module, "MAX_FRAGMENTS", 10)
    lines.append(line := Line())
    line.client.sock.sendall(Frame(Opcode.TEXT, b"", False).serialize(mask=True))
    line.client.sock.sendall(Frame(Opcode.CONT, b"", False).serialize(mask=True) * 20)
    line.running.join(10)
    assert (line.client.protocol.close_rcvd.code, line.relay.code) == (1009, 1009)


def test_a_response_is_read_to_its_end_though_its_client_fell_silent_and_reads_nothing(lines: list[Line]) -> None:
    lines.append(line := Line(Responses))
    asks(line, CREATE)
    until(lambda: texts(line.openai))
    says(line, BEGUN)
    until(lambda: texts(line.client))
    line.client.reader.kill()  # as if it was stopped by SIGSTOP: its system takes what fits, it answers no ping
    sender = gevent.spawn(lambda: [says(line, bytes(200_000)) for _ in range(20)])
    until(lambda: line.relay._upstream._queued > end_module.MAX_QUEUED)
    line.relay._client.heard -= 1000
    line.relay._tick()
    sender.join(5)
    says(line, DONE)
    line.running.join(10)
    assert line.running.ready()
    assert [row["outcome"] for row in line.ledger.settled] == ["complete"]
    assert (line.relay.code, line.relay.closed_by) == (1006, "client")


def test_a_client_that_closes_does_not_wait_for_the_end_of_a_response(lines: list[Line]) -> None:
    """Clients return from closing only when the connection is closed: with OpenAI itself that takes no time."""
    lines.append(line := Line(Responses))
    asks(line, CREATE)
    until(lambda: texts(line.openai))
    says(line, BEGUN)
    until(lambda: texts(line.client))
    line.client.protocol.send_close(3000)
    line.client.sock.sendall(b"".join(line.client.protocol.data_to_send()))
    line.client.reader.join(10)
    assert line.client.protocol.close_rcvd.code == 3000
    says(line, DONE)
    line.running.join(10)
    assert [row["outcome"] for row in line.ledger.settled] == ["complete"]
    assert (line.relay.code, line.relay.closed_by) == (3000, "client")


def test_a_side_whose_messages_are_not_taken_is_not_given_up(lines: list[Line]) -> None:
    lines.append(line := Line())
    line.client.reader.kill()
    sender = gevent.spawn(lambda: [says(line, bytes(200_000)) for _ in range(20)])
    until(lambda: line.relay._upstream._queued > end_module.MAX_QUEUED)
    line.relay._upstream.heard -= 1000
    line.relay._tick()
    line.client.reader = gevent.spawn(line.client._read)
    sender.join(10)
    until(lambda: len(line.client.messages) == 20)
    line.relay._tick()
    assert not line.running.ready()


@pytest.mark.parametrize("why", ["stop", "total"])
def test_a_live_session_that_spendai_ends_is_asked_for_its_last_seconds(lines: list[Line], why: str) -> None:
    lines.append(line := Line(live))
    asks(line, START)
    until(lambda: texts(line.openai))
    says(line, STARTED)
    until(lambda: texts(line.client))
    if why == "stop":
        line.relay.stop()
    else:
        line.relay._began -= 1000
        line.relay._tick()
    until(lambda: texts(line.openai)[1:] == [b'{"type":"session.close"}'])
    says(line, CLOSED)
    line.running.join(10)
    assert texts(line.client) == [STARTED, CLOSED]
    assert line.client.protocol.close_rcvd.code == (1012 if why == "stop" else 1001)
    assert [row["usage"] for row in line.ledger.settled] == [{"seconds": 90}]


def test_a_worker_that_stops_lets_a_steered_response_go_on_to_its_successor(lines: list[Line]) -> None:
    lines.append(line := Line(Responses))
    asks(line, CREATE)
    until(lambda: texts(line.openai))
    says(line, BEGUN)
    until(lambda: texts(line.client))
    line.relay.stop()
    first = {"id": "r", "model": "m", "usage": {"total_tokens": 2}, "incomplete_details": {"reason": "steered"}}
    says(line, json.dumps({"type": "response.incomplete", "response": first}).encode())
    second = {"id": "r2", "previous_response_id": "r"}
    says(line, json.dumps({"type": "response.created", "response": second}).encode())
    says(line, DONE.replace(b'"r"', b'"r2"'))
    line.running.join(10)
    assert [row["upstream_object_id"] for row in line.ledger.settled] == ["r", "r2"]
    assert len(texts(line.client)) == 4


def test_a_session_of_a_revoked_key_ends_after_what_openai_began(lines: list[Line]) -> None:
    lines.append(line := Line(Responses))
    opened = line.ledger.open
    line.ledger.open = lambda message, stopped: opened(message, stopped) | {"outcome": "revoked_key"}
    says(line, BEGUN)
    says(line, DONE)
    line.running.join(10)
    assert [row["outcome"] for row in line.ledger.settled] == ["complete"]
    assert (line.client.protocol.close_rcvd.code, line.relay.closed_by) == (1008, "spendai")


@pytest.mark.parametrize("outcome", ["revoked_key", "expired_key", "archived_project"])
def test_a_live_session_whose_key_is_revoked_is_closed_and_priced(lines: list[Line], outcome: str) -> None:
    lines.append(line := Line(live, Seconds(600, 600, 60)))
    asks(line, START)
    until(lambda: texts(line.openai))
    says(line, STARTED)
    until(lambda: texts(line.client))
    minute(line)
    assert line.client.protocol.close_rcvd is None
    line.ledger.check = lambda key_hash: outcome
    minute(line)
    until(lambda: len(texts(line.openai)) == 2)
    assert json.loads(texts(line.openai)[1]) == {"type": "session.close"}
    says(line, CLOSED)
    line.running.join(10)
    assert [row["usage"] for row in line.ledger.settled] == [{"seconds": 90}]
    assert (line.client.protocol.close_rcvd.code, line.relay.code, line.relay.closed_by) == (1008, 1008, "spendai")


def test_a_session_goes_on_while_the_database_cannot_say_whether_its_key_is_valid(lines: list[Line]) -> None:
    def away(key_hash: bytes) -> str:
        raise LedgerUnavailable("away", sent=False)

    lines.append(line := Line(Responses))
    line.ledger.check = away
    minute(line)
    asks(line, CREATE)
    until(lambda: texts(line.openai))


def minute(line: Line) -> None:
    """What a minute without messages does."""
    for _ in range(KEY_TICKS):
        line.relay._tick()
    turns()


def test_a_response_costs_nothing_when_openai_closes_while_its_row_is_being_written(lines: list[Line]) -> None:
    lines.append(line := Line(Responses))
    asked, go, opened = Event(), Event(), line.ledger.open

    def slow(message: Any, stopped: Any) -> Any:
        asked.set()
        go.wait()
        return opened(message, stopped)

    line.ledger.open = slow
    asks(line, CREATE)
    asked.wait(10)
    line.openai.protocol.send_close(1001)
    line.openai.sock.sendall(b"".join(line.openai.protocol.data_to_send()))
    until(lambda: line.client.protocol.close_rcvd)
    go.set()
    line.running.join(10)
    assert [(row["outcome"], row["status_code"]) for row in line.ledger.settled] == [("error", 502)]
    assert texts(line.openai) == []


def test_both_sides_may_close_at_once(lines: list[Line]) -> None:
    lines.append(line := Line())
    for peer, code in ((line.client, 1000), (line.openai, 1001)):
        peer.protocol.send_close(code)
        peer.sock.sendall(b"".join(peer.protocol.data_to_send()))
    line.running.join(10)
    assert line.running.ready()
    assert line.relay.closed_by in ("client", "openai")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_thousand_sessions_leave_no_greenlet_and_no_socket() -> None:
    def greenlets() -> int:
        gc.collect()
        return sum(isinstance(one, gevent.Greenlet) and not one.dead for one in gc.get_objects())

    def ends(line: Line, number: int) -> None:
        if number % 4 == 0:
            line.relay.stop()
        elif number % 4 == 1:
            line.openai.sock.close()
        elif number % 4 == 2:
            line.client.sock.sendall(b"\xff" * 8)
        else:
            line.client.protocol.send_close(1000)
            line.client.sock.sendall(b"".join(line.client.protocol.data_to_send()))

    before = greenlets(), descriptors()
    for _ in range(20):
        made = [Line(Responses, Seconds(600, 600, 0)) for _ in range(50)]
        for number, line in enumerate(made):
            asks(line, CREATE)
            ends(line, number)
        gevent.joinall([line.running for line in made], timeout=30)
        assert all(line.running.ready() for line in made)
        gevent.joinall([peer.reader for line in made for peer in (line.client, line.openai)], timeout=30)
        for peer in [peer for line in made for peer in (line.client, line.openai)]:
            peer.sock.close()
    del made, line, peer
    left = greenlets(), descriptors()
    assert all(now <= then for now, then in zip(left, before, strict=True)), (left, before)
