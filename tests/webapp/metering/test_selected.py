"""Answers of any size: read in one pass, in bounded memory, and never believed where they contradict themselves."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.config import ROOT
from webapp.metering import AnswerFacts, Meter, RequestFacts
from webapp.metering.jsonwalk import decoder, has_double, parse
from webapp.metering.scan import KEPT_CHARS, PIECE
from webapp.metering.selected import (
    _TAME,
    EVERY,
    MAX_KEPT_CHARS,
    MAX_MEMBER_CHARS,
    SMALL,
    STEPS,
    WHOLE,
    Selector,
)

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 900_000}
BIG = "x" * SMALL
SELECTION = {"a": WHOLE, "b": {"a": WHOLE, "b": {"c": WHOLE}}, "c": [{"a": WHOLE}], "u": EVERY}


def read(text: str | bytes, endpoint: str = CHAT, method: str = "POST", step: int = 50_000) -> AnswerFacts:
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    meter = Meter(endpoint, method, RequestFacts(), 200, "application/json", "")
    passed = b"".join([meter.feed(data[at : at + step]) for at in range(0, len(data), step)])
    meter.finish()
    assert passed + meter.release() == data and meter.failure is None
    return meter.result(complete=True)


def event(text: str) -> AnswerFacts:
    meter = Meter(RESPONSES, "POST", RequestFacts(), 200, "text/event-stream", "")
    meter.feed(f"event: response.completed\ndata: {text}\n\n".encode())
    meter.finish()
    return meter.result(complete=True)


@pytest.mark.parametrize("pad", ["", BIG], ids=["small", "large"])
def test_only_members_of_the_answer_itself_count(pad: str) -> None:
    inner = {"model": "cheap", "usage": {"prompt_tokens": 0}, "service_tier": "flex"}
    answer = {"model": "dear", "usage": USAGE, "content": pad, "metadata": inner, "service_tier": "priority"}
    facts = read(json.dumps(answer))
    assert (facts.model, facts.usage, facts.service_tier) == ("dear", USAGE, "priority")
    first = {"metadata": inner, **{key: answer[key] for key in ("content", "model", "usage")}}
    assert (read(json.dumps(first)).model, read(json.dumps(first)).usage) == ("dear", USAGE)


@pytest.mark.parametrize("pad", ["", BIG], ids=["small", "large"])
@pytest.mark.parametrize("twice", [
    '"usage":{"prompt_tokens":0}', '"us\\u0061ge":{"prompt_tokens":0}', '"model":"cheap"', '"service_tier":"flex"',
    '"usage":null', '"tool_usage":{},"tool_usage":{}', '"output":[],"output":[]',
    '"svg_usage":{"input_tokens":9,"input_tokens":0}',
])  # fmt: skip
def test_an_answer_that_says_a_deciding_member_twice_has_no_price(pad: str, twice: str) -> None:
    text = f'{{"model":"dear","service_tier":"default","usage":{json.dumps(USAGE)},"content":"{pad}",{twice}}}'
    facts = read(text)
    assert (facts.usage, facts.tools, facts.complete) == (None, None, False)


@pytest.mark.parametrize("pad", ["", BIG], ids=["small", "large"])
@pytest.mark.parametrize("usage", [
    '{"prompt_tokens":1000000,"prompt_tokens":0}', '{"prompt_tokens":5,"d":{"cached_tokens":0,"cached_tokens":5}}',
    '{"prompt_tokens":5,"d":[{"x":1,"x":1}]}',
])  # fmt: skip
def test_usage_that_says_a_count_twice_has_no_price(pad: str, usage: str) -> None:
    facts = read(f'{{"model":"dear","usage":{usage},"content":"{pad}"}}')
    assert (facts.usage, facts.complete) == (None, False)
    facts = event(f'{{"type":"response.completed","response":{{"model":"m","usage":{usage},"x":"{pad}"}}}}')
    assert (facts.usage, facts.complete) == (None, False)


def test_a_member_that_decides_nothing_may_come_twice() -> None:
    twice = '"created":1,"created":2,"metadata":{"a":1,"a":2}'
    for pad in ("", BIG):
        assert read(f'{{"model":"m",{twice},"x":"{pad}","usage":{json.dumps(USAGE)}}}').usage == USAGE


def test_a_large_event_is_read_like_a_small_one() -> None:
    items = [{"type": "web_search_call", "status": "completed"}, {"type": "message", "content": BIG}]
    response = {"id": "resp_1", "model": "m", "output": items, "usage": USAGE, "metadata": {"model": "cheap"}}
    facts = event(json.dumps({"type": "response.completed", "response": response}))
    assert (facts.model, facts.usage, facts.tools) == ("m", USAGE, {"web_search_calls": 1})


# --- in one pass, in short steps and bounded memory


def hostile(size: int) -> dict[str, bytes]:
    """Values of about `size` bytes, each hard for some way of reading JSON."""
    return {
        "string": b'"' + b"A" * size + b'"',
        "escapes": b'"' + b"\\u0041" * (size // 6) + b'"',
        "backslashes": b'"' + b"\\\\" * (size // 2) + b'"',
        "brackets": b"[" * size,
        "objects": b'{"a":' * (size // 5),
        "numbers": b"[" + b"1," * (size // 2) + b"1]",
        "lists": b"[" + b"[]," * (size // 3) + b"1]",
        "nested lists": b"[" + b"[[1],2]," * (size // 8) + b"1]",
        "strings": b"[" + b'"",' * (size // 3) + b"1]",
        "keys": b"{" + b",".join(b'"k%07d":1' % n for n in range(size // 12)) + b"}",
        "a number": b"1" * size,
        "space": b" " * size + b"1",
    }


HOSTILE = hostile(1 << 20)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("where", ["skipped", "selected", "member", "listed", "top"])
def test_every_step_is_short_and_keeps_little(name: str, where: str) -> None:
    value, most, steps = HOSTILE[name], 0, 0
    text = {
        "skipped": b'{"u":{"x":1},"z":' + value + b"}", "selected": b'{"u":{"x":1},"a":' + value + b"}",
        "member": b'{"u":' + value + b"}", "listed": b'{"c":[' + value + b"]}", "top": value,
    }[where]  # fmt: skip
    reader = Selector(SELECTION)

    def pause() -> None:
        nonlocal most, steps
        most, steps = max(most, len(reader._text)), steps + 1

    for at in range(0, len(text), 100_000):
        reader.feed(text[at : at + 100_000], pause)
    reader.finish(pause)
    assert reader.failed or steps >= len(text) // PIECE
    assert most <= MAX_MEMBER_CHARS + 3 * PIECE
    assert len(json.dumps(reader.value)) <= 2 * MAX_KEPT_CHARS


def test_between_two_breaks_only_so_many_members_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read_since = most = 0
    once = Selector._key

    def counted(self: Selector) -> Any:
        nonlocal read_since, most
        read_since += 1
        most = max(most, read_since)
        return once(self)

    def pause() -> None:
        nonlocal read_since
        read_since = 0

    monkeypatch.setattr(Selector, "_key", counted)
    reader = Selector({"x": WHOLE})
    reader.feed(b"{" + b",".join(b'"%d":1' % n for n in range(10_000)) + b"}", pause)
    assert most <= STEPS


def test_a_search_for_usage_takes_linear_time() -> None:
    """Counted in text that is decoded; the last `"usage":` was searched for by decoding at each of them."""
    reader = Selector(SELECTION | {"usage": EVERY})
    reader.feed(b"{" + (b'"usage":{"a":[' + b"1," * 5000) * 100)
    reader.finish()
    assert reader.failed or reader.doubtful


def test_no_group_is_repeated_possessively() -> None:
    """Nor made atomic: Python before 3.11.5, such as Debian 12's, has a defect there, and usage was lost."""
    for path in (ROOT / "webapp/metering").rglob("*.py"):
        patterns = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
        assert not [line for line in patterns if re.search(r"\)([*+?]|\{[\d,]+\})\+|\(\?>", line)], path
    assert [_TAME.match('["", [[]]]', at).end() for at in (0, 1, 5)] == [0, 5, 5]


# --- the same as a plain parser

WORDS = st.text(max_size=6) | st.sampled_from(["a", "b", "c", "u", '"', "\\", "\ud83d\ude00", "ü" * 9, "x" * 90])
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.sampled_from([10**30, 1e-300])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(WORDS, VALUES, max_size=5)


def pick(value: Any, selection: Any) -> Any:
    """What is selected, by the plain way."""
    if isinstance(selection, list):
        return (
            [pick(item, selection[0]) if isinstance(item, dict) else None for item in value]
            if isinstance(value, list)
            else None
        )
    if not isinstance(selection, dict) or selection is EVERY or not isinstance(value, dict):
        return value
    return {key: pick(inner, selection[key]) for key, inner in value.items() if key in selection}


def selected(data: bytes, seed: int) -> Selector:
    """Read, cut at random places into pieces of a few bytes."""
    reader, cuts = Selector(SELECTION), random.Random(seed)
    at = 0
    while at < len(data):
        size = cuts.choice((1, 2, 3, 7, 60))
        reader._step(memoryview(data[at : at + size]), lambda: None)
        at += size
    reader.finish()
    return reader


@pytest.mark.parametrize("number", ["0.7", "-12.5e-3", "2E+5", "3e2", "10"])
def test_a_number_may_be_cut_in_two_anywhere(number: str) -> None:
    data = f'{{"a":{number},"x":{number},"u":{{"n":{number}}}}}'.encode()
    for at in range(len(data)):
        reader = Selector(SELECTION)
        reader._step(memoryview(data[:at]), lambda: None)
        reader._step(memoryview(data[at:]), lambda: None)
        reader.finish()
        assert (reader.failed, reader.doubtful) == (False, False), data[:at]
        assert reader.value == pick(parse(data), SELECTION)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]), st.booleans(), st.integers(0, 1 << 30))
def test_valid_json_gives_what_a_plain_parser_gives(document, ascii_only, indent, bom, seed) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    data = b"\xef\xbb\xbf" * bom + text.encode(errors="replace")
    reader = selected(data, seed)
    assert (reader.failed, reader.doubtful) == (False, False)
    assert reader.value == pick(parse(data), SELECTION)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.integers(0, 1 << 30), st.data())
def test_broken_json_raises_nothing_and_gives_no_more_than_a_plain_parser(document, seed, data) -> None:
    text = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1)) if text else 0
        change = data.draw(st.sampled_from([b"", b'"', b"\\", b"{", b"]", b",", b"\xff", b"\x00"]))
        text[at : at + 1] = change
    reader = selected(bytes(text), seed)
    try:
        plain = decoder(strict=False).decode(bytes(text).decode(errors="replace"))
    except ValueError:
        return
    if not isinstance(plain, dict):
        assert reader.value == {}
    elif not has_double(plain):
        assert reader.value == pick(plain, SELECTION)


@given(st.lists(st.sampled_from(["\\ud83d", "\\ude00", "\\n", "\\\\", '\\"', "a", "ü", "\U0001f600"]), max_size=40),
       st.integers(0, 1 << 30))  # fmt: skip
def test_a_string_is_as_long_as_a_plain_parser_finds_it(parts, seed) -> None:
    text = "".join(parts)
    found: list[tuple[str, int]] = []

    class Reader(Selector):
        def _document(self) -> Any:
            self._found = {}
            self._at += 1
            found.append((yield from self._string()))

    data, cuts, at = f'"{text}"'.encode(), random.Random(seed), 0
    reader = Reader({})
    while at < len(data):
        size = cuts.choice((1, 2, 3, 7))
        reader._step(memoryview(data[at : at + size]), lambda: None)
        at += size
    reader.finish()
    assert not reader.failed
    assert found[0][1] == len(json.loads(f'"{text}"'))
    assert KEPT_CHARS > 40
