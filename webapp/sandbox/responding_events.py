"""The events of a response, in the order in which OpenAI sends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webapp.sandbox.streams import event
from webapp.sandbox.wording import pieces

Events = Iterator[tuple[str, dict[str, Any]]]


def response(whole: dict[str, Any]) -> Iterator[bytes]:
    """From `response.created` to `response.completed`, or to `response.incomplete` where a limit was reached."""
    for number, (kind, fields) in enumerate(_events(whole)):
        yield event(f"response.{kind}", {"sequence_number": number, **fields})


def _events(whole: dict[str, Any]) -> Events:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "service_tier": "auto"}
    begun |= {"incomplete_details": None, "completed_at": None}
    yield "created", {"response": begun}
    yield "in_progress", {"response": begun}
    for index, item in enumerate(whole["output"]):
        place = {"output_index": index}
        yield "output_item.added", {**place, "item": _empty(item)}
        yield from _PARTS[item["type"]](item, {"item_id": item["id"], **place})
        yield "output_item.done", {**place, "item": item}
    yield whole["status"], {"response": whole}


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """The item as it is before its first part."""
    nothing = {"content": [], "summary": [], "arguments": "", "input": "", "status": "in_progress"}
    return {key: nothing.get(key, value) for key, value in item.items()}


def _message(item: dict[str, Any], place: dict[str, Any]) -> Events:
    place = {**place, "content_index": 0}
    part = item["content"][0]
    told = part["logprobs"]
    yield "content_part.added", {**place, "part": {**part, "text": "", "logprobs": []}}
    for at, piece in enumerate(pieces(part["text"])):
        yield "output_text.delta", {**place, "delta": piece, "logprobs": told[at : at + 1]}
    yield "output_text.done", {**place, "text": part["text"], "logprobs": told}
    yield "content_part.done", {**place, "part": part}


def _function(item: dict[str, Any], place: dict[str, Any]) -> Events:
    for piece in pieces(item["arguments"]):
        yield "function_call_arguments.delta", {**place, "delta": piece}
    yield "function_call_arguments.done", {**place, "name": item["name"], "arguments": item["arguments"]}


def _custom(item: dict[str, Any], place: dict[str, Any]) -> Events:
    for piece in pieces(item["input"]):
        yield "custom_tool_call_input.delta", {**place, "delta": piece}
    yield "custom_tool_call_input.done", {**place, "input": item["input"]}


def _reasoning(item: dict[str, Any], place: dict[str, Any]) -> Events:
    for index, part in enumerate(item["summary"]):
        here = {**place, "summary_index": index}
        yield "reasoning_summary_part.added", {**here, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield "reasoning_summary_text.delta", {**here, "delta": piece}
        yield "reasoning_summary_text.done", {**here, "text": part["text"]}
        yield "reasoning_summary_part.done", {**here, "part": part}


_PARTS = {"message": _message, "function_call": _function, "custom_tool_call": _custom, "reasoning": _reasoning}
