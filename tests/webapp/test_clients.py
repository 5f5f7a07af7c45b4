"""`make prove-clients` can fail: what it expects of the ledger and of a client, and how its stand-in answers."""

from __future__ import annotations

import json
from decimal import Decimal

import requests
from clients.answers import Answer, OpenAI, called_tool, example
from clients.every import BEGIN, END, HEAD, arrived, expected, merged, prices
from fake_upstream import FakeUpstream

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


def test_a_program_must_show_every_text_and_a_command_line_tool_one() -> None:
    first, second = Answer(1, "m", "", "text"), Answer(2, "m", "", "text")
    assert arrived(PYTHON, [first, second], f"{first.mark} {second.mark}")
    assert not arrived(PYTHON, [first, second], second.mark)
    assert arrived(SHELL, [first, second], first.mark) and not arrived(SHELL, [first], "")
    assert not arrived(PYTHON, [], "anything") and not arrived(SHELL, [], "anything")


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


def test_the_table_takes_the_new_lines_and_keeps_those_of_other_clients() -> None:
    codex, curl, newer = "| Codex | 1 | 1 | 1 | x |", "| curl | 8 | 1 | 1 | x |", "| Codex | 2 | 1 | 1 | x |"
    document = merged(f"a\n{BEGIN}\n{END}\nb\n", [codex, curl])
    assert document == "\n".join(["a", BEGIN, HEAD, curl, codex, END, "b", ""])
    assert merged(document, [newer]) == document.replace(codex, newer)
