"""Large requests: read in short steps, and judged exactly as small ones are."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from references import REFERENCES
from test_selected import HOSTILE

from webapp.metering import read_json_request
from webapp.metering.jsonwalk import decode
from webapp.metering.large import FIELDS, MAX_DEPTH, MAX_WASTE, RequestReader
from webapp.metering.references import DUPLICATE_KEYS, NEEDS_OWN_KEY, UNREADABLE, objection
from webapp.metering.request import LARGE, ask_for_usage
from webapp.metering.scan import PIECE

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
PAD = "x" * LARGE


def padded(body: dict[str, Any], *, first: bool) -> bytes:
    pad = {"instructions": PAD}
    return json.dumps({**pad, **body} if first else {**body, **pad}).encode()


@pytest.mark.parametrize("first", [True, False])
def test_a_large_request_has_the_facts_of_a_small_one(first: bool) -> None:
    body = {
        "model": "m", "stream": False, "store": True, "safety_identifier": "s", "user": "u", "background": True,
        "background_options": {"completion_window": "24h"},
        "tools": [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}],
    }  # fmt: skip
    small = read_json_request(RESPONSES, json.dumps(body).encode())
    data = padded(body, first=first)
    assert small.details == {"completion_window": "24h", "memory": {"code_interpreter": "4g"}}
    assert read_json_request(RESPONSES, data) == small._replace(body=data)
    body["tools"].insert(0, {"type": "function", "description": PAD})
    assert read_json_request(RESPONSES, json.dumps(body).encode()).details == small.details


def test_images_and_speech_of_any_length_keep_what_their_price_needs() -> None:
    asked = {"model": "dall-e-3", "prompt": PAD, "n": 2, "size": "1024x1792", "quality": "hd"}
    facts = read_json_request("/v1/images/generations", json.dumps(asked).encode())
    assert facts.details == {"images": 2, "size": "1024x1792", "quality": "hd"}
    spoken = json.dumps({"model": "tts-1", "input": "Grüße \U0001f44b" * 20_000})
    for text in (spoken, spoken.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")):
        facts = read_json_request("/v1/audio/speech", text.encode())
        assert facts.details == {"characters": 7 * 20_000}
    assert read_json_request("/v1/containers", padded({"memory_limit": "4g"}, first=True)).details == {
        "memory_limit": "4g"
    }


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("options", [
    "", '"stream_options":null,', '"stream_options": {} ,', '"stream_options":{"include_usage":false},',
    '"stream_options":{ "x":1, "include_usage" : null },', '"stream\\u005foptions":{"include\\u005fusage":false},',
    '"stream_options":{"include_usage":true},"stream_options":{"include_usage":false},',
    '"stream_options":{"include_usage":true},', '"stream_options":"x",', '"stream_options":[],',
    '"ü":"\U0001f600","messages":[{"stream_options":null}],',
])  # fmt: skip
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_usage_is_asked_for_as_in_a_small_request(options: str, first: bool, bom: str) -> None:
    pad = f'"é":["{PAD}"],'
    text = f'{bom}{{{pad if first else ""}{options}"a":1,{"" if first else pad}"stream":true}}'
    facts = read_json_request(CHAT, text.encode())
    assert facts.body.decode() == (ask_for_usage(text) or text)
    assert facts.injected == (facts.body.decode() != text)


@pytest.mark.parametrize(("body", "param"), REFERENCES)
@pytest.mark.parametrize("where", ["before", "after", "around"])
def test_a_reference_is_found_in_a_large_request(body: dict[str, Any], param: str, where: str) -> None:
    if where == "around":
        text = json.dumps({"model": "m", **body}).replace("{", f'{{"object":"{PAD}",')  # no content
    else:
        text = padded(body, first=where == "after").decode()
    found = read_json_request(RESPONSES, text.encode()).objection
    assert found is not None and found.code == NEEDS_OWN_KEY


@pytest.mark.parametrize("text", [
    f'{{"a":1,"x":"{PAD}","a":2}}', f'{{"x":{{"a":1,"y":"{PAD}","a":2}}}}', f'{{"x":["{PAD}",{{"a":1,"a":1}}]}}',
    f'{{"metadata":{{"a":1,"y":["{PAD}"],"\\u0061":2}}}}',
])  # fmt: skip
def test_a_key_that_comes_twice_is_found_in_a_large_request(text: str) -> None:
    assert read_json_request(RESPONSES, text.encode()).objection.code == DUPLICATE_KEYS


def test_metadata_may_have_any_names_in_a_large_request() -> None:
    text = f'{{"metadata":{{"file_id":"mine","pad":"{PAD}","user_id":"7"}},"background":false}}'
    assert read_json_request(RESPONSES, text.encode()).objection is None


@pytest.mark.parametrize(
    "tail", [b"", b"]", b"} x", b",}", b"}}", b',"a"}', b',"a":}', b',"a":"\x01"}', b',"a":"\xff"}']
)
def test_a_large_body_that_is_not_one_json_object_has_no_facts(tail: bytes) -> None:
    body = b'{"model":"m","stream":true,"x":"' + PAD.encode() + b'"' + tail
    facts = read_json_request(RESPONSES, body)
    assert (facts.body is body, facts.model, facts.objection.code) == (True, None, UNREADABLE)


# --- in short steps and bounded memory


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", [b'{"model":"m","x":%s}', b'{"metadata":[[%s]],"model":"m"}', b"%s"])
def test_every_step_is_short_and_keeps_little(name: str, form: bytes) -> None:
    body, steps, most, names = form.replace(b"%s", HOSTILE[name]), 0, 0, 0
    reader = RequestReader()

    def pause() -> None:
        nonlocal steps, most, names
        steps, most, names = steps + 1, max(most, len(reader._text)), max(names, reader._names)

    reader.feed(body, pause)
    reader.finish(pause)
    assert (reader.failed or steps >= len(body) // PIECE) and most <= 3 * PIECE and names <= 50_001


@pytest.mark.parametrize("text", [
    b"[" * (MAX_DEPTH - 1) + b'"' + PAD.encode() + b'"' + b"]" * (MAX_DEPTH - 1),
    b'[{"a":' * 30 + b'"' + PAD.encode() + b'"' + b"}]" * 30,
])  # fmt: skip
def test_nesting_around_a_long_value_is_read_up_to_a_depth(text: bytes) -> None:
    assert read_json_request(RESPONSES, b'{"model":"m","x":' + text + b"}").model == "m"
    deeper = b'{"model":"m","x":' + b"[" * 10 + text + b"]" * 10 + b"}"
    assert read_json_request(RESPONSES, deeper).objection.code == UNREADABLE


def test_work_in_vain_is_bounded() -> None:
    """Chains of lists, each a little longer than a step: every bracket begins a value that does not end in the text."""
    chain = b"[" * 60 + b"1," * (PIECE // 2) + b"1" + b"]" * 60
    reader = RequestReader()
    text = b'{"x":[' + b",".join([chain] * 40) + b"]}"
    reader.feed(text)
    reader.finish()
    assert reader._wasted <= (MAX_WASTE + 2) * (len(text) + 8 * PIECE)


# --- the same as for small requests

NAMES = st.text(max_size=4) | st.sampled_from([
    *("id", "type", "file_id", "file_ids", "container", "prompt", "content", "metadata", "background", "conversation"),
    *("model", "tools", "stream_options", "stream", "input", "user", "call_id"),
])  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["message", "x" * 50, "\ud83d\ude00", "item_reference", 10**25])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=25
)


def read(data: bytes, seed: int, window: int) -> RequestReader:
    reader, cuts, at = RequestReader(window), random.Random(seed), 0
    while at < len(data):
        size = cuts.choice((1, 2, 5, 30))
        reader._step(memoryview(data[at : at + size]), lambda: None)
        at += size
    reader.finish()
    return reader


@pytest.mark.parametrize("number", ["0.7", "-12.5e-3", "2E+5", "3e2", "10"])
def test_a_number_may_be_cut_in_two_anywhere(number: str) -> None:
    data = f'{{"temperature":{number},"model":"m","n":{number}}}'.encode()
    for seed in range(50):
        reader = read(data, seed, 2)
        assert (reader.failed, reader.objection) == (False, None)
        assert reader.fields["model"] == "m" and reader.fields["n"] == decode(data.decode())["n"]


@settings(max_examples=80, deadline=None)
@example({"": None, "stream_options": "\U0001f600"}, True, None, False, 1, 2)  # an escaped pair, cut in two
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans(), st.sampled_from([None, 1]), st.booleans(),
       st.integers(0, 1 << 30), st.sampled_from([2, 8, 40]))  # fmt: skip
def test_facts_and_objection_are_those_of_a_small_request(body, ascii_only, indent, bom, seed, window) -> None:
    text = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode(errors="replace").decode()
    reader, plain = read(("\ufeff" * bom + text).encode(), seed, window), decode(text)
    assert not reader.failed
    expected = objection(plain)
    assert (reader.objection is None) == (expected is None)
    for name in FIELDS & plain.keys():
        if isinstance(plain[name], (str, bool)) or plain[name] is None:
            assert reader.fields[name] == plain[name]
    if reader.options:
        start, end = reader.options
        assert (
            decode('{"x":' + ("\ufeff" * bom + text).encode()[start:end].decode() + "}")["x"] == plain["stream_options"]
        )


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.data(), st.integers(0, 1 << 30))
def test_broken_json_is_unreadable_exactly_when_a_small_request_is(body, data, seed) -> None:
    text = bytearray(json.dumps(body).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + 1] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"{", b"]", b",", b"\xff", b"\x00", b"1", b" "])
        )
    reader = read(bytes(text), seed, 4)
    try:
        plain = decode(text.decode())
    except ValueError:
        assert reader.failed
        return
    assert not reader.failed
    assert (reader.objection is None) == (objection(plain) is None)
