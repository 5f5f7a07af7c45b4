"""Answers of /chat/completions and /completions: texts, JSON in the form asked for, and calls of tools."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from webapp.sandbox.calling import Choice, Tool, Turn, arguments, chosen, tool_of
from webapp.sandbox.formats import text_in_form
from webapp.sandbox.refused import SandboxError, objects, whole_number
from webapp.sandbox.served import reasoning_tokens, served
from webapp.sandbox.wording import (
    PIECE,
    TEXT,
    Said,
    limited,
    logprobs,
    refuse_too_many,
    stopped,
    stops,
    tokens,
    top_logprobs,
)

MAX_CHOICES = 128
MAX_LEGACY_LOGPROBS = 5


def new_id(prefix: str) -> str:
    """An id that looks like OpenAI's."""
    return prefix + secrets.token_hex(16)


def chat(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /chat/completions."""
    messages = objects(fields.get("messages"), "messages")
    number = whole_number(fields, "n", 1, MAX_CHOICES) or 1
    limit = whole_number(fields, "max_completion_tokens", 1) or whole_number(fields, "max_tokens", 1)
    model = served(fields)
    thought = reasoning_tokens(model, fields.get("reasoning_effort"), "reasoning_effort")
    thought = thought if limit is None else min(thought, limit)
    left = None if limit is None else limit - thought
    tools, choice = _tools(fields), _choice(fields)
    several = fields.get("parallel_tool_calls") is not False and "functions" not in fields
    calls = chosen(tools, choice, _turn(messages), several=several)
    make = _calling(fields, calls, choice, left) if calls else _talking(fields, messages, left)
    choices = [{"index": index, **make()} for index in range(number)]
    said = sum(_spent(one["message"]) + thought for one in choices)
    refuse_too_many(said * (1 + top_logprobs(fields)))
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": usage(_sent(fields, messages), said, thought * number),
        "service_tier": "default",
        "system_fingerprint": "fp_spendai_sandbox",
    }


def completion(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /completions."""
    prompts = fields.get("prompt") or ""
    several = isinstance(prompts, list) and prompts and not isinstance(prompts[0], int)
    each = prompts if several else [prompts]
    number = whole_number(fields, "n", 1, MAX_CHOICES) or 1
    written = sum(tokens(prompt) for prompt in each) + tokens(TEXT) * len(each)
    refuse_too_many(written * number * (1 + (whole_number(fields, "logprobs", 0, MAX_LEGACY_LOGPROBS) or 0)))
    said = limited(stopped(TEXT, stops(fields)), whole_number(fields, "max_tokens", 0))
    choices = [_completed(fields, prompt, said) for prompt in each for _ in range(number)]
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": served(fields),
        "choices": [{**choice, "index": index} for index, choice in enumerate(choices)],
        "usage": usage(sum(tokens(prompt) for prompt in each), tokens(said.text) * len(choices), 0),
    }


def usage(sent: int, said: int, thought: int) -> dict[str, Any]:
    """The usage block of a completion; `thought`: the tokens of reasoning that are part of `said`."""
    details = {"reasoning_tokens": thought, "audio_tokens": 0}
    details |= {"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    return {
        "prompt_tokens": sent,
        "completion_tokens": said,
        "total_tokens": sent + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": details,
    }


def _completed(fields: dict[str, Any], prompt: Any, said: Said) -> dict[str, Any]:
    shown = f"{prompt}{said.text}" if fields.get("echo") is True and isinstance(prompt, str) else said.text
    asked = whole_number(fields, "logprobs", 0, MAX_LEGACY_LOGPROBS)
    reason = "stop" if said.ended else "length"
    return {"text": shown, "logprobs": None if asked is None else _legacy(shown, asked), "finish_reason": reason}


def _legacy(text: str, alternatives: int) -> dict[str, Any]:
    told = logprobs(text, alternatives)
    return {
        "tokens": [one["token"] for one in told],
        "token_logprobs": [one["logprob"] for one in told],
        "top_logprobs": [{top["token"]: top["logprob"] for top in one["top_logprobs"]} for one in told],
        "text_offset": [at * PIECE for at in range(len(told))],
    }


def _talking(fields: dict[str, Any], messages: list[dict[str, Any]], left: int | None) -> Callable[[], dict[str, Any]]:
    text = text_in_form(
        fields.get("response_format"),
        "response_format",
        inner="json_schema",
        code=None,
        asked=[spoken(message.get("content")) for message in messages],
    )
    said = limited(stopped(text, stops(fields)), left)
    alternatives = top_logprobs(fields)
    wanted = fields.get("logprobs") is True
    if alternatives and not wanted:
        message = "'logprobs' must be set to true when 'top_logprobs' is used."
        raise SandboxError(400, message, param="top_logprobs")
    told = {"content": logprobs(said.text, alternatives), "refusal": None} if wanted else None
    message = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
    return lambda: {"message": message, "logprobs": told, "finish_reason": "stop" if said.ended else "length"}


def _calling(
    fields: dict[str, Any], called: list[Tool], choice: Choice, left: int | None
) -> Callable[[], dict[str, Any]]:
    made: list[tuple[Tool, Said]] = []
    for tool in called:
        said = limited(arguments(tool), left)
        made.append((tool, said))
        left = None if left is None else left - tokens(said.text)
        if not said.ended:
            break
    ended = made[-1][1].ended
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if "functions" in fields:
        tool, said = made[0]
        call = {"name": tool.name, "arguments": said.text}
        reason = "function_call" if ended else "length"
        return lambda: {"message": {**message, "function_call": call}, "logprobs": None, "finish_reason": reason}
    # OpenAI says "stop" where the request named the function.
    reason = (
        ("stop" if choice.mode == "required" and len(choice.only or ()) == 1 else "tool_calls") if ended else "length"
    )
    return lambda: {
        "message": {**message, "tool_calls": [_call(tool, said.text) for tool, said in made]},
        "logprobs": None,
        "finish_reason": reason,
    }


def _call(tool: Tool, text: str) -> dict[str, Any]:
    kind, word = ("custom", "input") if tool.custom else ("function", "arguments")
    return {"id": f"call_{secrets.token_hex(12)}", "type": kind, kind: {"name": tool.name, word: text}}


def _spent(message: dict[str, Any]) -> int:
    """Tokens of a message of the sandbox."""
    if message["content"] is not None:
        return tokens(message["content"])
    calls = [message["function_call"]] if "function_call" in message else message["tool_calls"]
    inner = [call.get(call.get("type", ""), call) for call in calls]
    return sum(tokens(call["name"]) + tokens(call.get("arguments") or call.get("input", "")) for call in inner)


def _sent(fields: dict[str, Any], messages: list[dict[str, Any]]) -> int:
    beside = sum(tokens(fields[word]) for word in ("tools", "functions", "response_format") if fields.get(word))
    sent = sum(3 + tokens(message.get("content") or "") for message in messages)
    return sent + sum(tokens(message["tool_calls"]) for message in messages if message.get("tool_calls")) + beside + 3


def _tools(fields: dict[str, Any]) -> list[Tool]:
    found = []
    for at, told in enumerate(objects(fields.get("tools"), "tools")):
        inner = told.get(str(told.get("type")))
        found.append(tool_of(told, inner if isinstance(inner, dict) else {}, f"tools[{at}].{told.get('type')}"))
    for at, told in enumerate(objects(fields.get("functions"), "functions")):
        found.append(tool_of({"type": "function"}, told, f"functions[{at}]"))
    return [tool for tool in found if tool]


def _choice(fields: dict[str, Any]) -> Choice:
    param = "function_call" if "functions" in fields else "tool_choice"
    asked = fields.get(param)
    if asked is None or asked in ("auto", "none", "required"):
        return Choice(asked or "auto")
    if isinstance(asked, dict):
        if asked.get("type") == "allowed_tools":
            return _allowed(asked.get("allowed_tools"))
        inner = asked if param == "function_call" else asked.get(str(asked.get("type")))
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            return Choice("required", [inner["name"]])
    raise SandboxError(400, f"Invalid value for '{param}'.", param=param, code="invalid_value")


def _allowed(told: Any) -> Choice:
    told = told if isinstance(told, dict) else {}
    tools = objects(told.get("tools"), "tool_choice.allowed_tools.tools")
    names = [inner.get("name") for tool in tools if isinstance(inner := tool.get(str(tool.get("type"))), dict)]
    return Choice("required" if told.get("mode") == "required" else "auto", [str(name) for name in names])


def _turn(messages: list[dict[str, Any]]) -> Turn:
    called: list[str] = []
    answered, text = False, ""
    for message in reversed(messages):
        if message.get("role") == "user":
            text = spoken(message.get("content"))
            break
        answered = answered or message.get("role") in ("tool", "function")
        called += _names(message)
    return Turn(text, called, answered)


def _names(message: dict[str, Any]) -> list[str]:
    """The names of the tools that a message calls."""
    calls = message.get("tool_calls")
    told = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    inner = [message.get("function_call"), *(call.get(str(call.get("type"))) for call in told)]
    return [str(call.get("name")) for call in inner if isinstance(call, dict)]


def spoken(content: Any) -> str:
    """The text of a message's content: a text, or a list of parts of which some have texts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
