"""Several connections to one Realtime call: each is told of every response, and each response is booked once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from fake_socket import FakeSocket

USAGE = {"total_tokens": 1500, "input_tokens": 1000, "output_tokens": 500,
         "input_token_details": {"text_tokens": 1000}, "output_token_details": {"text_tokens": 500}}  # fmt: skip
COST = Decimal("0.016")  # gpt-realtime-2: 1,000 at $4 and 500 at $24 per million
numbers = count(1)


class Connection:
    """A client's connection to a Realtime call, and OpenAI's end of it; gone(): OpenAI's end breaks."""

    def __init__(self, openai: FakeSocket, connect_to: Callable[..., Any], query: str) -> None:
        self._ends, joined = threading.Event(), threading.Event()

        def talk(ws: Any) -> None:
            self.openai = ws
            joined.set()
            self._ends.wait(60)

        openai.script("/v1/realtime", talk)
        self.client = connect_to(f"/realtime?{query}")
        assert joined.wait(10)
        self.told({"type": "session.created", "session": {"id": "sess_1", "model": "gpt-realtime-2"}})

    def told(self, event: dict[str, Any]) -> None:
        """OpenAI sends an event; returns when the client has it."""
        self.openai.send(json.dumps(event))
        assert self.client.receive()["type"] == event["type"]

    def begins(self, upstream_id: str) -> None:
        self.told({"type": "response.created", "response": {"id": upstream_id, "status": "in_progress"}})

    def ends(self, upstream_id: str) -> None:
        self.told({"type": "response.done", "response": {"id": upstream_id, "usage": USAGE}})

    def asks(self) -> None:
        self.client.send(type="response.create")
        assert json.loads(self.openai.recv(timeout=10))["type"] == "response.create"

    def gone(self) -> None:
        self._ends.set()


@pytest.fixture
def joined(openai, connect_to) -> Iterator[Callable[[str], Connection]]:
    connections: list[Connection] = []

    def join(query: str) -> Connection:
        connections.append(Connection(openai, connect_to, query))
        return connections[-1]

    yield join
    for connection in connections:
        connection.gone()


@pytest.fixture
def names() -> tuple[str, str]:
    """A Realtime call and a response in it, which no other test has."""
    number = next(numbers)
    return f"call_id=rtc_{number}", f"resp_side_{number}"


def booked(*connections: Connection) -> list[tuple[str, Decimal | None]]:
    """Cost status and cost of the calls of these connections."""
    rows = [row for connection in connections for row in connection.client.rows()]
    return sorted((row["cost_status"] or row["state"], row["cost"]) for row in rows)


def test_two_side_connections_book_a_response_once(sockets, joined, names):
    query, response = names
    one, other = joined(query), joined(query)
    one.begins(response), other.begins(response)
    other.ends(response), one.ends(response)
    assert booked(one, other) == [("priced", COST)]


def test_a_transcript_that_both_are_told_is_booked_once(sockets, joined, names):
    query, item = names
    one, other = joined(query), joined(query)
    session = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    said = {"type": "conversation.item.input_audio_transcription.completed", "item_id": item, "content_index": 0,
            "usage": {"type": "duration", "seconds": 60}}  # fmt: skip
    for connection in (one, other):
        connection.told({"type": "session.updated", "session": session})
        connection.told(said)
    assert booked(one, other) == [("priced", Decimal("0.006"))]


@pytest.mark.parametrize("asker_first", [True, False])
@pytest.mark.parametrize("main", [True, False])
def test_what_one_connection_asked_for_is_not_booked_again_by_another(sockets, joined, names, asker_first, main):
    query, response = names
    asker, other = joined("model=gpt-realtime-2" if main else query), joined(query)
    asker.asks()
    order = (asker, other) if asker_first else (other, asker)
    for connection in order:
        connection.begins(response)
    for connection in order:
        connection.ends(response)
    assert booked(asker, other) == [("free", 0), ("priced", COST)]


def test_a_connection_that_dies_loses_nothing_of_what_another_is_told(sockets, joined, names):
    query, response = names
    one, other = joined(query), joined(query)
    one.begins(response), other.begins(response)
    one.gone()
    sockets.wait_for(lambda: booked(one) == [("no_usage", None)])
    other.ends(response)
    assert booked(one, other) == [("priced", COST)]


def test_main_connections_whose_server_repeats_its_ids_are_different_calls(sockets, joined, names):
    _, response = names
    one, other = joined("model=gpt-realtime-2"), joined("model=gpt-realtime-2")
    for connection in (one, other):
        connection.begins(response)
        connection.ends(response)
    assert booked(one, other) == [("priced", COST)] * 2
