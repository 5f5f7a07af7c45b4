"""The second turn of a conversation with a reasoning model, as real clients send it: refused by name, or passed."""

from __future__ import annotations

import json

import pytest

from webapp.gateway.refusals import refused
from webapp.metering import read_json_request
from webapp.metering.references import NEEDS_OWN_KEY

USER = {"role": "user", "content": "And of Italy?"}
TEXT = {"type": "output_text", "text": "Paris", "annotations": [], "logprobs": []}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [TEXT]}
CALL = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}
ENCRYPTED = {**REASONING, "encrypted_content": "gAAAAB"}
# openai-agents: result.to_input_list(); LangChain: output_version="responses/v1"; Vercel: sends ids while store is on.
REFUSED = {
    "openai-agents": ([USER, REASONING, MESSAGE, USER], "input[1].id"),
    "openai-agents with a tool": ([USER, {**REASONING, "content": []}, CALL, RESULT], "input[1].id"),
    "langchain": ([USER, {"type": "reasoning", "id": "rs_1", "summary": [], "index": 0}, MESSAGE, USER], "input[1].id"),
    "without the content": ([USER, {**REASONING, "encrypted_content": None}, MESSAGE, USER], "input[1].id"),
    "vercel": ([USER, {"type": "item_reference", "id": "rs_1"}, RESULT], "input[1].id"),
}
PASSED = {
    "openai-agents": [USER, ENCRYPTED, MESSAGE, USER],
    "openai-agents with a tool": [USER, {**ENCRYPTED, "content": []}, CALL, RESULT],
    "langchain": [USER, {**ENCRYPTED, "summary": [{"type": "summary_text", "text": "…", "index": 0}]}, MESSAGE, USER],
    "vercel": [USER, {"type": "reasoning", "id": "rs_1", "encrypted_content": "gA", "summary": []}, CALL, RESULT],
    "codex": [USER, {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "gAAAAB"}, RESULT],
    "no id": [USER, {"type": "reasoning", "summary": []}, {"role": "assistant", "content": [TEXT]}, USER],
}


def objection(items: list, **more: object):
    body = {"model": "gpt-5", "input": items, "client_metadata": {"x_turn_id": "7"}, **more}
    return read_json_request("/v1/responses", json.dumps(body).encode()).objection


@pytest.mark.parametrize("client", REFUSED)
def test_the_refusal_names_the_field_and_the_clients_settings(client: str) -> None:
    items, param = REFUSED[client]
    found = objection(items)
    error = refused(found.code, found)
    assert (found.code, error.param) == (NEEDS_OWN_KEY, param)
    for word in (param, 'include: ["reasoning.encrypted_content"]', "store: false"):
        assert word in error.body()["error"]["message"]  # SDKs print only the message


@pytest.mark.parametrize("client", PASSED)
def test_items_that_carry_their_content_pass(client: str) -> None:
    include = ["reasoning.encrypted_content"]
    assert objection(PASSED[client], store=False, include=include) is None


@pytest.mark.parametrize(("fields", "words"), [
    ({"previous_response_id": "resp_1"}, "whole conversation"), ({"conversation": {"id": "conv_1"}}, "store: false"),
    ({"background": True}, "without background"), ({"prompt": {"id": "pmpt_1"}}, "instructions"),
    ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, '{"type": "auto"}'),
    ({"input": [{"content": [{"type": "input_file", "file_id": "file-1"}]}]}, "file_data"),
])  # fmt: skip
def test_the_refusal_of_another_reference_says_what_to_do_instead(fields: dict, words: str) -> None:
    found = objection([USER], **fields)
    assert words in refused(found.code, found).message
