"""An upstream that sends nothing for UPSTREAM_READ_TIMEOUT. In the stack of all other tests this takes too long."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from threading import Event

import pytest
import requests
from fake_openai import data
from fake_replies import SSE_TYPE, Wire
from fake_upstream import FakeUpstream, hang
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def stack(stack_dsns: Callable[[str], tuple[str, str]], fake: FakeUpstream) -> Iterator[Stack]:
    environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url}
    with Stack(*stack_dsns("spendai_silent"), UPSTREAM_READ_TIMEOUT="3", **environ) as running:
        yield running


def test_an_answer_that_does_not_come_is_504_with_unknown_cost(stack: Stack, fake: FakeUpstream) -> None:
    fake.queue(PATH, hang())
    answer = stack.post(json=CHAT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert (stack.row(answer)["cost_status"], stack.row(answer)["cost"]) == ("no_usage", None)


def test_the_row_is_499_if_the_client_hung_up_meanwhile(stack: Stack, fake: FakeUpstream) -> None:
    asked = Event()

    def never(wire: Wire) -> None:
        asked.set()
        hang()(wire)

    fake.queue(PATH, never)
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    headers = {"Authorization": f"Bearer {stack.key()}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/proxy/chat/completions", json.dumps(CHAT), headers)
    assert asked.wait(20)
    connection.close()
    query = "select status_code from public.usage_logs where state = 'settled' order by started_at desc, id desc"
    assert stack.wait_for(lambda: stack.conn.execute(query).fetchone()["status_code"] == 499, 20)


def test_a_stream_breaks_off_for_the_client_after_what_there_was(stack: Stack, fake: FakeUpstream) -> None:
    first = data({"choices": [{"delta": {"content": "Hel"}}]})

    def stall(wire: Wire) -> None:
        wire.head(200, [SSE_TYPE, ("transfer-encoding", "chunked")])
        wire.chunk(first)
        hang()(wire)

    fake.queue(PATH, stall)
    answer, got = stack.post(json=CHAT | {"stream": True}, stream=True), b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for chunk in answer.iter_content(None):
            got += chunk
    assert got == first
    row = stack.row(answer)
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", None, "no_usage")
