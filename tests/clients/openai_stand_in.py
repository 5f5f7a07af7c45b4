"""OpenAI as the clients of `make prove-clients` meet it: texts, tool calls and JSON that fits a schema, in all forms.

Every answer has a mark that no other answer has, in its text, and numbers of tokens that no other answer has: what a
client printed and what the ledger says can be traced to the one answer they come from.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from functools import partial, reduce
from typing import Any, NamedTuple

import fake_openai
from clients.sessions import HTTP, PREWARM, REALTIME, realtime, responses
from fake_openai import data, event, served, text_part
from fake_replies import Reply, reply_json, reply_sse
from fake_socket import is_upgrade, upgraded
from fake_upstream import Request

FORCED = ("required", "any")


class Answer(NamedTuple):
    """What was answered to one call. tool: name of the tool that is called; text: its arguments, or the message.

    way: how it was asked for: HTTP, WEBSOCKET, PREWARM (over WebSocket, without an output) or REALTIME (with audio).
    """

    number: int
    model: str
    tool: str
    text: str
    way: str = HTTP

    @property
    def mark(self) -> str:
        """Stands in everything that is text; a client must have shown it."""
        return mark(self.number)

    @property
    def tokens(self) -> tuple[int, int, int]:
        """Input, cached input (part of the former), output."""
        return 1000 + self.number, 100 + self.number, 0 if self.way == PREWARM else 10 + self.number

    @property
    def amounts(self) -> dict[str, int]:
        """Tokens by the dimension that prices them."""
        given, cached, made = (tokens - audio for tokens, audio in zip(self.tokens, self.audio, strict=True))
        heard, heard_cached, spoken = self.audio
        return {
            "input_text": given - cached, "cached_text": cached, "output_text": made,
            "input_audio": heard - heard_cached, "cached_audio": heard_cached, "output_audio": spoken,
        }  # fmt: skip

    @property
    def audio(self) -> tuple[int, int, int]:
        """Which part of the tokens is audio."""
        return (400, 50, 8) if self.way == REALTIME else (0, 0, 0)


def mark(number: int) -> str:
    return f"Ada{number}Lovelace"


class OpenAI:
    """``FakeUpstream(OpenAI())``; answers: what was answered, in order."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply | None:
        """The answer to a chat completion, response or upgrade; None for everything else."""
        if is_upgrade(request):
            sessions = {"/v1/responses": partial(responses, self.answer, response_steps)}
            return upgraded(request, sessions.get(request.path, partial(realtime, self.answer)))
        writers = {"/v1/chat/completions": (chat, chat_events), "/v1/responses": (response, response_events)}
        if request.path not in writers or request.method != "POST":
            return None
        asked = json.loads(request.body)
        answer = self.answer(asked)
        whole, events = writers[request.path]
        return reply_sse(events(asked, answer)) if asked.get("stream") else reply_json(whole(asked, answer))

    def answer(self, asked: dict[str, Any], way: str = HTTP) -> Answer:
        """A new answer to what was asked, in either API."""
        with self._lock:
            self.answers.append(self._answer(asked, way))
            return self.answers[-1]

    def _answer(self, asked: dict[str, Any], way: str) -> Answer:
        number = len(self.answers) + 1
        tool, form = called_tool(asked), schema(asked)
        if tool:
            text = json.dumps(example(tool.get("parameters") or {}, mark(number)))
        elif form is not None:
            text = json.dumps(example(form, mark(number)))
        else:
            text = f"Hello from {mark(number)}."
        return Answer(number, asked["model"], tool["name"] if tool else "", text, way)


def called_tool(asked: dict[str, Any]) -> dict[str, Any] | None:
    """The tool that is called: one that must be, or whose name stands in the last message, if that is the user's."""
    tools = [tool.get("function", tool) for tool in asked.get("tools") or [] if tool.get("type") == "function"]
    choice = asked.get("tool_choice")
    wanted = choice.get("function", choice).get("name") if isinstance(choice, dict) else None
    said = asked.get("messages") or asked.get("input")
    last = said[-1] if isinstance(said, list) else {"role": "user", "content": said}
    words = json.dumps(last.get("content")) if last.get("role") == "user" else ""
    named = [tool for tool in tools if tool["name"] == wanted or (not wanted and tool["name"] in words)]
    return next(iter(named or (tools if choice in FORCED else [])), None)


def schema(asked: dict[str, Any]) -> dict[str, Any] | None:
    """The schema that the answer has to fit, in either API; None for text."""
    form = asked.get("response_format") or (asked.get("text") or {}).get("format") or {}
    if form.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return form.get("json_schema", form).get("schema") if form.get("type") == "json_schema" else None


def example(form: dict[str, Any], text: str, root: dict[str, Any] | None = None) -> Any:
    """A value that fits a schema; every text in it is `text`."""
    root = form if root is None else root
    if "$ref" in form:
        return example(reduce(dict.__getitem__, form["$ref"].removeprefix("#/").split("/"), root), text, root)
    if choices := form.get("anyOf") or form.get("allOf"):
        return example(choices[0], text, root)
    if "const" in form or "enum" in form:
        return form["const"] if "const" in form else form["enum"][0]
    if form.get("type") == "object":
        return {name: example(part, text, root) for name, part in form.get("properties", {}).items()}
    items = [example(form["items"], text, root)] if "items" in form else []
    return {"array": items, "integer": 36, "number": 36, "boolean": True}.get(form.get("type", ""), text)


def pieces(text: str) -> list[str]:
    """A text in words, as a stream brings it."""
    return re.findall(r"\S+\s*", text)


def chat_usage(answer: Answer) -> dict[str, Any]:
    given, cached, made = answer.tokens
    return fake_openai.CHAT_USAGE | {
        "prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
    }  # fmt: skip


def reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool else "stop"


def chat(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The JSON answer of /chat/completions."""
    message = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.tool:
        call = {"id": f"call_{answer.number}", "type": "function",
                "function": {"name": answer.tool, "arguments": answer.text}}  # fmt: skip
        message |= {"content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason(answer)}
    return fake_openai.chat(asked) | {
        "id": f"chatcmpl-{answer.number}", "choices": [choice], "usage": chat_usage(answer),
    }  # fmt: skip


def chat_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if answer.tool else ""}
    if answer.tool:
        function = {"name": answer.tool, "arguments": ""}
        yield {"tool_calls": [{"index": 0, "id": f"call_{answer.number}", "type": "function", "function": function}]}
    for piece in pieces(answer.text):
        part = {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        yield part if answer.tool else {"content": piece}


def chat_events(asked: dict[str, Any], answer: Answer) -> Iterator[bytes]:
    """The events of a streamed chat completion; the usage only when it was asked for."""
    counted = (asked.get("stream_options") or {}).get("include_usage") is True
    base = {"id": f"chatcmpl-{answer.number}", "object": "chat.completion.chunk", "created": 1721075653,
            "model": served(asked), "service_tier": "default"} | ({"usage": None} if counted else {})  # fmt: skip
    for delta in chat_deltas(answer):
        yield data({**base, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]})
    yield data({**base, "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason(answer)}]})
    if counted:
        yield data({**base, "choices": [], "usage": chat_usage(answer)})
    yield b"data: [DONE]\n\n"


def item(answer: Answer) -> dict[str, Any]:
    """The one output item of a response."""
    if answer.tool:
        return {"id": f"fc_{answer.number}", "type": "function_call", "status": "completed",
                "call_id": f"call_{answer.number}", "name": answer.tool, "arguments": answer.text}  # fmt: skip
    return {"id": f"msg_{answer.number}", "type": "message", "status": "completed", "role": "assistant",
            "content": [text_part(answer.text)]}  # fmt: skip


def response(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The JSON answer of /responses."""
    given, cached, made = answer.tokens
    usage = fake_openai.RESPONSE_USAGE | {
        "input_tokens": given, "output_tokens": made, "total_tokens": given + made,
        "input_tokens_details": {"cached_tokens": cached},
    }  # fmt: skip
    return fake_openai.response(asked) | {
        "id": f"resp_{answer.number}", "output": [] if answer.way == PREWARM else [item(answer)], "usage": usage,
    }  # fmt: skip


def response_events(asked: dict[str, Any], answer: Answer) -> Iterator[bytes]:
    """The events of a streamed response."""
    for number, (kind, fields) in enumerate(response_steps(asked, answer)):
        yield event(kind, number, **fields)


def response_steps(asked: dict[str, Any], answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and members of these events."""
    whole = response(asked, answer)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    if answer.way != PREWARM:
        yield from output_steps(answer)
    yield "response.completed", {"response": whole}


def output_steps(answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of its one output item."""
    done = item(answer)
    empty = {"status": "in_progress", **({"arguments": ""} if answer.tool else {"content": []})}
    place = {"item_id": done["id"], "output_index": 0}
    yield "response.output_item.added", {"output_index": 0, "item": done | empty}
    if answer.tool:
        kind = "response.function_call_arguments"
        yield from ((f"{kind}.delta", {"delta": piece, **place}) for piece in pieces(answer.text))
        yield f"{kind}.done", {"arguments": answer.text, "name": answer.tool, **place}
    else:
        place |= {"content_index": 0}
        yield "response.content_part.added", {"part": text_part(""), **place}
        for piece in pieces(answer.text):
            yield "response.output_text.delta", {"delta": piece, "logprobs": [], **place}
        yield "response.output_text.done", {"text": answer.text, "logprobs": [], **place}
        yield "response.content_part.done", {"part": text_part(answer.text), **place}
    yield "response.output_item.done", {"output_index": 0, "item": done}
