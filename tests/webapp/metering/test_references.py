"""Request fields that name objects stored at OpenAI: found wherever they stand, and no others are taken for them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from references import REFERENCES

from webapp.metering import FormReader, read_json_request
from webapp.metering.references import DUPLICATE_KEYS, NEEDS_OWN_KEY, UNREADABLE

RESPONSES = "/v1/responses"
HARMLESS = [
    {"background": False, "conversation": None, "previous_response_id": None, "store": True, "prompt": "file_id"},
    {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "file-1"}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": {}}]}]},
    {"input": [{"type": "function_call_output", "call_id": "call_1", "output": '{"file_id": "file-1"}'}]},
    {"input": [{"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text"}]}]},
    {"input": [{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}]},
    {"input": [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}]},
    {"input": [{"id": "msg_1", "role": "assistant", "content": "hi"}]},
    {"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA"}]},
    {"input": [{"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}]},
    {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    {"tools": [{"parameters": {"properties": {"file_id": {"type": "string"}}, "required": ["file_id"]}}]},
    {"tools": [{"type": "mcp", "connector_id": "connector_gmail"}]},
    {"metadata": {"file_id": "mine", "user_id": "7", "id": "x"}},
    {"input": [1, 2, 3], "seed_id": 7, "user": "file-1", "voice": "alloy", "n": 1e3, "x": [[], {}], "t": {"type": []}},
]  # fmt: skip


def found(body: object) -> tuple[str, str | None] | None:
    objection = read_json_request(RESPONSES, json.dumps(body).encode()).objection
    return objection and (objection.code, objection.param)


@pytest.mark.parametrize(("body", "param"), REFERENCES)
def test_a_reference_is_found_wherever_it_stands(body, param):
    assert found({"model": "gpt-4o", **body}) == (NEEDS_OWN_KEY, param)


@pytest.mark.parametrize("body", HARMLESS)
def test_what_names_nothing_at_openai_is_not_taken_for_a_reference(body):
    assert found({"model": "gpt-4o", **body}) is None


@pytest.mark.parametrize(("text", "code"), [
    ('{"previous_response\\u005fid": "resp_1"}', NEEDS_OWN_KEY),
    ('{"\\u0062ackground": true}', NEEDS_OWN_KEY),
    ('\ufeff {"x": [{"file_id":\n"f"}]}', NEEDS_OWN_KEY),
    ('{"background": true, "background": false}', DUPLICATE_KEYS),
    ('{"input": [{"file_id": null, "file\\u005fid": "f"}]}', DUPLICATE_KEYS),
    ('{"metadata": {"a": "1", "a": "2"}}', DUPLICATE_KEYS),
    ('{"metadata": {"b": {"a": "1", "a": "2"}}}', DUPLICATE_KEYS),
    ('{"tools": [[{"x": {"a": 1, "a": 1}}]]}', DUPLICATE_KEYS),
    ('[{"file_id": "f"}]', UNREADABLE), ("{'file_id': 'f'}", UNREADABLE), ('{"a": 1} {"b": 2}', UNREADABLE),
    ('{"a": 1,}', UNREADABLE), ("a=1", UNREADABLE), (" ", UNREADABLE), ('{"a": "\x01"}', UNREADABLE),
    ('{"a": /* */ 1}', UNREADABLE), ("[" * 100_000, UNREADABLE), ('{"a":' * 100_000, UNREADABLE),
])  # fmt: skip
def test_no_spelling_hides_a_reference(text, code):
    assert read_json_request(RESPONSES, text.encode()).objection.code == code


@pytest.mark.parametrize("body", [b"\xff", '{"file_id": "f"}'.encode("utf-16"), '{"file_id": "f"}'.encode("utf-32-be")])
def test_bytes_that_are_not_utf8_are_unreadable(body):
    assert read_json_request(RESPONSES, body).objection.code == UNREADABLE


def test_no_body_at_all_has_nothing_against_it():
    assert read_json_request(RESPONSES, b"").objection is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.lists(st.sampled_from(["list", "dict"]), max_size=6))
def test_however_deep_a_file_is_named_it_is_found(around, wrapping):
    inner: object = {"file_id": "file-1"}
    for kind in wrapping:
        inner = [0, inner] if kind == "list" else {"k": inner, "type": "t"}
    assert found({**around, "zz": inner}) is not None


@given(JSON)
def test_any_json_at_all_is_judged_without_an_error(value):
    found({"x": value})


def form(*parts: tuple[str, bytes]) -> FormReader:
    """A form of these heads and contents, read one byte at a time."""
    reader = FormReader("multipart/form-data; boundary=b")
    body = b"".join(b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (h.encode(), v) for h, v in parts)
    for byte in body + b"--b--\r\n":
        reader.feed(bytes([byte]))
    return reader


@pytest.mark.parametrize("head", ['name="file_id"', 'name="image[0][file_id]"', 'name="images[].file_id"',
    'name="vector_store_ids[]"', 'name="container"', 'name="image"', 'name="image[]"', 'name="mask"',
    'name="File_ID"', 'name="MASK"', 'name="file"', 'name="input_reference"',
    'name="file_id"; filename="x"'])  # fmt: skip
def test_a_form_field_that_names_a_file_is_found(head):
    assert form(('name="prompt"', b"x"), (head, b"file-1")).objection.code == NEEDS_OWN_KEY


def test_an_ordinary_form_has_nothing_against_it():
    parts = [
        (f'name="{name}"', b"file_id") for name in ("prompt", "model", "user", "size", "timestamp_granularities[]")
    ]
    files = [('name="image[]"; filename="a.png"', b"\x89PNG"), ('name="file"; filename="file_id"', b"x")]
    assert form(*parts, *files).objection is None


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/mixed; boundary=b", "audio/wav", "multipart/form-data; boundary="]
)
def test_a_form_that_cannot_be_read_is_unreadable(kind):
    assert FormReader(kind).objection.code == UNREADABLE
    reader = FormReader("multipart/form-data; boundary=b")
    reader.feed(b"--b\r\n" + b"x" * 400_000)
    assert reader.objection.code == UNREADABLE
