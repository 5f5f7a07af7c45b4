"""What a client writes in its own words is no reference: the free-form members of all requests of openai-python."""

from __future__ import annotations

import collections.abc
import importlib
import json
import pathlib
import types
import typing
from collections.abc import Iterator

import openai.types
import pytest
from typing_extensions import get_type_hints, is_typeddict

from webapp.metering import FormReader, read_json_request
from webapp.metering.references import DUPLICATE_KEYS, FREE_FORM, NEEDS_OWN_KEY, STORED, VARIABLES
from webapp.metering.request import LARGE

# Free-form members that are searched for references all the same, and why nobody is refused for them.
SEARCHED = {
    "annotations": "hints of an MCP tool; of a text it is a list of citations, which name files",
    "content": "of an MCP tool's error, which is free as a whole; elsewhere it holds items",
    "filters": "of a file search, which needs vector stores; its members are key, type and value",
    "tools": "that a model may choose of, by their names",
    "item": "of evals and graders, which need an OpenAI key of one's own; elsewhere a conversation's item",
    "sample": "of evals, which need an OpenAI key of one's own",
    "jwks": "administration, never forwarded",
    "attribute_matchers": "administration, never forwarded",
}
OWN_WORDS = {"file_id": "file-1", "user_id": "7", "id": "x", "container": "c", "deep": [{"vector_store_ids": ["vs_1"]}]}
PLACES = [
    {"client_metadata": OWN_WORDS},
    {"metadata": OWN_WORDS},
    {
        "input": [
            {"type": "message", "role": "user", "content": "x", "internal_chat_message_metadata_passthrough": OWN_WORDS}
        ]
    },
    {"tools": [{"type": "function", "name": "f", "parameters": {"default": OWN_WORDS}}]},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"dependentRequired": {"a_id": ["b"]}}}}]},
    {"text": {"format": {"type": "json_schema", "schema": {"const": OWN_WORDS, "id": "https://schema.test"}}}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"examples": [OWN_WORDS]}}}},
    {"tools": [{"type": "mcp", "server_label": "s", "headers": {"x_account_id": "7", "id": "x"}}]},
    {
        "input": [
            {"type": "mcp_list_tools", "id": "l", "tools": [{"name": "t", "input_schema": {"default": OWN_WORDS}}]}
        ]
    },
    {"input": [{"type": "mcp_call", "id": "m", "name": "t", "error": {"type": "e", "content": [OWN_WORDS]}}]},
    {"input": [{"type": "tool_search_call", "call_id": "c", "arguments": OWN_WORDS}]},
    {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps(OWN_WORDS)}]},
    {"input": [{"type": "function_call_output", "call_id": "c", "output": json.dumps(OWN_WORDS)}]},
    {"input": [{"type": "local_shell_call", "id": "s", "call_id": "c", "action": {"env": {"run_id": "7"}}}]},
    {"input": [{"type": "input_json", "data": OWN_WORDS}]},
    {"messages": [{"role": "user", "content": json.dumps(OWN_WORDS)}]},
    {"prompt": {"variables": {"file_id": "mine", "user_id": "7", "id": "x", "container": "c"}}},
]
REFERENCES_BESIDE = [
    {"client_metadata": {"a": "b"}, "previous_response_id": "resp_1"},
    {"clientmetadata": OWN_WORDS},
    {"metadata": [OWN_WORDS]},
    {"Metadata": OWN_WORDS},
    {"tools": [{"parameters": {"a": "b"}, "type": "file_search", "vector_store_ids": ["vs_1"]}]},
    {"tools": [{"headers": {"a": "b"}, "type": "code_interpreter", "container": "cntr_1"}]},
    {"tools": [{"type": "mcp", "headers": {"a": "b"}, "tunnel_id": "tun_1"}]},
    {"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_file", "file_id": "f"}]}]},
    {"prompt": {"variables": {"doc": {"type": "input_file", "file_id": "file-1"}}}},
    {"prompt": {"id": "pmpt_1", "variables": {"a": "b"}}},
    {"prompt": {"variables": {"file_ids": ["file-1"]}}},
    {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
]


def members() -> Iterator[tuple[str, typing.Any]]:
    """Name and type of every member of every object that a request of openai-python can have."""
    root = pathlib.Path(openai.types.__path__[0])
    for path in sorted(root.rglob("*_param*.py")):
        module = importlib.import_module(".".join(("openai.types", *path.relative_to(root).with_suffix("").parts)))
        for kind in vars(module).values():
            if is_typeddict(kind) and kind.__module__ == module.__name__:
                yield from get_type_hints(kind).items()


def is_free(kind: typing.Any) -> bool:
    """Whether a type lets the client choose names: a mapping, or any object."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (dict, collections.abc.Mapping) or kind in (object, typing.Any, dict):
        return True
    unwrapped = (typing.Union, types.UnionType, list, collections.abc.Iterable, collections.abc.Sequence)
    return (origin in unwrapped or origin is typing.Annotated) and any(is_free(one) for one in inner)


def holds_objects(kind: typing.Any) -> bool:
    """Whether a type has objects whose members OpenAI names."""
    return is_typeddict(kind) or any(holds_objects(one) for one in typing.get_args(kind))


def test_every_free_form_member_of_openai_python_is_known_as_one() -> None:
    free = {name for name, kind in members() if is_free(kind)}
    assert len(free) > 15
    assert free - FREE_FORM - {VARIABLES} == SEARCHED.keys()


def test_no_free_form_name_is_that_of_an_object_whose_members_openai_names() -> None:
    structured = {name for name, kind in members() if holds_objects(kind) and not is_free(kind)}
    assert "container" in structured and structured & (FREE_FORM | {VARIABLES}) == {"error"}  # no error names an object
    assert not FREE_FORM & STORED


@pytest.mark.parametrize("pad", ["", "before", "after", "within"])
@pytest.mark.parametrize("body", PLACES)
def test_a_clients_own_words_are_no_references(body: dict, pad: str) -> None:
    assert judged(body, pad) is None


@pytest.mark.parametrize("pad", ["", "before", "after", "within"])
@pytest.mark.parametrize("body", REFERENCES_BESIDE)
def test_a_reference_beside_a_clients_own_words_is_still_found(body: dict, pad: str) -> None:
    assert judged(body, pad) == NEEDS_OWN_KEY


@pytest.mark.parametrize("pad", ["", "x" * LARGE])
@pytest.mark.parametrize("name", sorted(FREE_FORM))
def test_a_key_that_comes_twice_in_a_clients_own_words_is_still_found(name: str, pad: str) -> None:
    text = f'{{"x":{{"{name}":{{"file_id":"f","p":"{pad}","a":[{{"b":1,"b":2}}]}}}}}}'
    assert read_json_request("/v1/responses", text.encode()).objection.code == DUPLICATE_KEYS


def test_a_forms_metadata_is_no_reference() -> None:
    def form(name: str) -> FormReader:
        reader = FormReader("multipart/form-data; boundary=b")
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nx\r\n--b--\r\n'
        reader.feed(head.encode())
        return reader

    assert form("metadata[file_id]").objection is None
    assert form("image[metadata][file_id]").objection.code == NEEDS_OWN_KEY


def judged(body: dict, pad: str) -> str | None:
    """The code of the objection to a request, small or made large, in which case it is read another way."""
    long = {"instructions": "x" * LARGE}
    whole = {"before": long | body, "after": body | long}.get(pad, body)
    text = json.dumps(whole)
    if pad == "within":
        text = text.replace(": {", f': {{"object": "{long["instructions"]}", ') if ": {" in text else text
    objection = read_json_request("/v1/responses", text.encode()).objection
    return objection and objection.code
