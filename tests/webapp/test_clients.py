"""`make prove-clients` can fail: what it expects of the ledger and of a client, and how its stand-in answers."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import requests
from certificates import Https
from clients.costs import expected, prices
from clients.every import BEGIN, END, HEAD, arrived, merged
from clients.openai_stand_in import Answer, OpenAI, called_tool, example
from clients.sessions import PREWARM, REALTIME, WEBSOCKET
from fake_upstream import FakeUpstream
from websockets.sync.client import connect

from webapp.pages.clients import Snippet

PYTHON, SHELL = Snippet("python", "", "", run=True), Snippet("sh", "", "", run=True)
SCHEMA = {
    "type": "object",
    "properties": {"who": {"$ref": "#/$defs/Person"}, "words": {"type": "array", "items": {"enum": ["a", "b"]}}},
    "$defs": {"Person": {"type": "object", "properties": {"age": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}},
}


def test_the_cost_is_that_of_uncached_cached_and_made_tokens() -> None:
    answer = Answer(5, "gpt-4o-mini", "", "Hello")
    cost = (900 * Decimal("0.15") + 105 * Decimal("0.075") + 15 * Decimal("0.6")) / 1_000_000
    assert expected(answer, prices()) == ("gpt-4o-mini-2024-07-18", 1005, 105, 15, cost, "priced", "settled")


def test_the_cost_of_a_spoken_response_is_that_of_its_text_and_its_audio() -> None:
    answer = Answer(5, "gpt-realtime", "", "Hello", REALTIME)
    text = 550 * Decimal("4") + 55 * Decimal("0.4") + 7 * Decimal("16")
    audio = 350 * Decimal("32") + 50 * Decimal("0.4") + 8 * Decimal("64")
    cost = (text + audio) / 1_000_000
    assert expected(answer, prices()) == ("gpt-realtime", 1005, 105, 15, cost, "priced", "settled")


def test_a_program_must_show_every_text_and_a_command_line_tool_one() -> None:
    first, second = Answer(1, "m", "", "text"), Answer(2, "m", "", "text")
    assert arrived(PYTHON, [first, second], f"{first.mark} {second.mark}")
    assert not arrived(PYTHON, [first, second], second.mark)
    assert arrived(SHELL, [first, second], first.mark) and not arrived(SHELL, [first], "")
    assert not arrived(PYTHON, [], "anything") and not arrived(SHELL, [], "anything")


def test_a_prewarmed_response_shows_no_text() -> None:
    warm, text = Answer(1, "m", "", "text", PREWARM), Answer(2, "m", "", "text", WEBSOCKET)
    assert arrived(SHELL, [warm, text], text.mark) and arrived(PYTHON, [warm, text], text.mark)
    assert not arrived(SHELL, [warm], warm.mark)


def test_the_call_of_a_tool_need_not_be_shown_unless_it_is_the_last_answer() -> None:
    tool, text = Answer(1, "m", "get_weather", "{}"), Answer(2, "m", "", "text")
    assert arrived(PYTHON, [tool, text], text.mark)
    assert not arrived(PYTHON, [tool], "")


def test_the_stand_in_fills_schemas_and_calls_tools_that_are_named_or_forced() -> None:
    assert example(SCHEMA, "x") == {"who": {"age": 36}, "words": ["a"]}
    tool = {"type": "function", "function": {"name": "get_weather"}}
    said = [{"role": "user", "content": "Use get_weather"}]
    assert called_tool({"tools": [tool], "messages": said}) == tool["function"]
    assert called_tool({"tools": [tool], "messages": [{"role": "user", "content": "Hello"}]}) is None
    assert called_tool({"tools": [tool], "messages": [*said, {"role": "tool", "content": "get_weather"}]}) is None
    assert called_tool({"tools": [tool], "tool_choice": "required", "input": "Hello"}) == tool["function"]


def test_a_stream_has_the_same_text_and_usage_as_an_answer_at_once() -> None:
    openai = OpenAI()
    with FakeUpstream(openai) as upstream:
        for path, said in (("/chat/completions", {"messages": []}), ("/responses", {"input": "Hello"})):
            asked = {"model": "gpt-4o-mini", "stream": True, "stream_options": {"include_usage": True}, **said}
            streamed = requests.post(upstream.url + path, json=asked, timeout=10).text
            (*_, answer) = openai.answers
            assert answer.mark in streamed
            assert any(str(answer.tokens[0]) in line for line in streamed.splitlines()[-6:])
            whole = requests.post(upstream.url + path, json=asked | {"stream": False}, timeout=10).json()
            assert openai.answers[-1].mark in json.dumps(whole)


def test_the_stand_in_answers_in_a_websocket_on_the_same_port() -> None:
    openai = OpenAI()
    with FakeUpstream(openai) as upstream:
        with connect(upstream.url.replace("http", "ws", 1) + "/responses") as socket:
            socket.send(
                json.dumps({"type": "response.create", "model": "gpt-4o-mini", "input": "x", "generate": False})
            )
            socket.send(json.dumps({"type": "response.create", "model": "gpt-4o-mini", "input": "x"}))
            first = [json.loads(socket.recv(10)) for _ in range(3)][-1]["response"]
            assert (first["output"], first["usage"]["output_tokens"]) == ([], 0)
            second = "".join(str(socket.recv(10)) for _ in range(11))
            assert openai.answers[-1].mark in second
        with connect(upstream.url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime") as socket:
            socket.send(json.dumps({"type": "response.create"}))
            events = [json.loads(socket.recv(10)) for _ in range(12)]
            assert [events[0]["type"], events[-1]["type"]] == ["session.created", "response.done"]
            assert events[-1]["response"]["usage"]["input_token_details"]["audio_tokens"] == 400
    assert [answer.way for answer in openai.answers] == [PREWARM, WEBSOCKET, REALTIME]


def test_https_in_front_of_the_product_ends_where_the_product_begins(tmp_path: Path) -> None:
    with FakeUpstream() as upstream, Https(int(upstream.origin.rpartition(":")[2]), tmp_path) as https:
        url = f"https://127.0.0.1:{https.port}/v1/chat/completions"
        assert requests.post(url, json={"model": "m"}, timeout=10, verify=str(https.certificate)).ok
    assert upstream.requests[0].path == "/v1/chat/completions"


def test_the_table_takes_the_new_lines_and_keeps_those_of_other_clients() -> None:
    codex, curl, newer = "| Codex | 1 | 1 | 1 | x |", "| curl | 8 | 1 | 1 | x |", "| Codex | 2 | 1 | 1 | x |"
    document = merged(f"a\n{BEGIN}\n{END}\nb\n", [codex, curl])
    assert document == "\n".join(["a", BEGIN, HEAD, curl, codex, END, "b", ""])
    assert merged(document, [newer]) == document.replace(codex, newer)
