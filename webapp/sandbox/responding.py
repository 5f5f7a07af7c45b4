"""Answers of /responses: reasoning, then either a message or calls of tools."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

from webapp.sandbox.calling import Choice, Tool, Turn, arguments, chosen, tool_of
from webapp.sandbox.chat import new_id, spoken
from webapp.sandbox.formats import text_in_form
from webapp.sandbox.refused import SandboxError, objects, whole_number
from webapp.sandbox.served import reasoning_tokens, reasons, served
from webapp.sandbox.wording import Said, limited, logprobs, refuse_too_many, tokens, top_logprobs

THOUGHT = "The sandbox does not think: this summary is simulated."
_ENCRYPTED = base64.b64encode(b"SpendAI sandbox: nothing was thought, so nothing is encrypted here.").decode()
_HOSTED = ("file_search", "web_search", "web_search_preview", "computer_use_preview", "code_interpreter", "mcp")
_HOSTED += ("image_generation", "shell", "local_shell", "apply_patch", "tool_search")
_CALLS, _RESULTS = ("function_call", "custom_tool_call"), ("function_call_output", "custom_tool_call_output")


def response(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses."""
    limit = whole_number(fields, "max_output_tokens", 1)
    model, reasoning = served(fields), _object(fields, "reasoning")
    thought = reasoning_tokens(model, reasoning.get("effort"), "reasoning.effort")
    thought = thought if limit is None else min(thought, limit)
    left = None if limit is None else limit - thought
    items = _items(fields)
    calls = chosen(
        _tools(fields), _choice(fields), _turn(items), several=fields.get("parallel_tool_calls") is not False
    )
    made = _calling(calls, left) if calls else _talking(fields, items, left)
    ended = made[-1]["status"] == "completed" if made else False
    output = [*([_reasoning(fields, reasoning)] if thought else []), *made]
    return _whole(fields, reasoning) | {
        "status": "completed" if ended else "incomplete",
        "incomplete_details": None if ended else {"reason": "max_output_tokens"},
        "model": model,
        "output": output,
        "usage": _usage(_sent(fields), sum(_spent(item) for item in made) + thought, thought),
    }


def compaction(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses/compact."""
    told = {"id": new_id("resp_"), "created_at": int(time.time()), "usage": _usage(_sent(fields), 16, 0)}
    kept = {"id": new_id("cmp_"), "type": "compaction", "encrypted_content": _ENCRYPTED}
    return {**told, "object": "response.compaction", "output": [kept]}


def input_tokens(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /responses/input_tokens, which is free."""
    return {"object": "response.input_tokens", "input_tokens": _sent(fields)}


def _whole(fields: dict[str, Any], reasoning: dict[str, Any]) -> dict[str, Any]:
    """What a response repeats of its request. `previous_response_id` is only repeated: the sandbox keeps nothing."""
    text = _object(fields, "text")
    effort = reasoning.get("effort") or ("medium" if reasons(served(fields)) else None)
    defaults: dict[str, Any] = {
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "safety_identifier": None,
        "store": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
    }
    told = {name: default if fields.get(name) is None else fields[name] for name, default in defaults.items()}
    return told | {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "background": False,
        "completed_at": int(time.time()),
        "error": None,
        "reasoning": {"effort": effort, "summary": reasoning.get("summary")},
        "service_tier": "default",
        "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
    }


def _reasoning(fields: dict[str, Any], reasoning: dict[str, Any]) -> dict[str, Any]:
    asked = reasoning.get("summary") or reasoning.get("generate_summary")
    item = {"id": new_id("rs_"), "type": "reasoning", "summary": []}
    if asked:
        item["summary"] = [{"type": "summary_text", "text": THOUGHT}]
    return item | ({"encrypted_content": _ENCRYPTED} if "reasoning.encrypted_content" in _include(fields) else {})


def _talking(fields: dict[str, Any], items: list[dict[str, Any]], left: int | None) -> list[dict[str, Any]]:
    """A message; none where the reasoning took all of the tokens."""
    asked = [spoken(value) for value in (fields.get("instructions"), *(item.get("content") for item in items))]
    form = _object(fields, "text").get("format")
    text = text_in_form(form, "text.format", inner="", code="invalid_json_schema", asked=asked)
    said = limited(text, left)
    if left is not None and left <= 0:
        return []
    alternatives = top_logprobs(fields)
    wanted = alternatives or "message.output_text.logprobs" in _include(fields)
    refuse_too_many(tokens(said.text) * (1 + alternatives))
    told = logprobs(said.text, alternatives) if wanted else []
    part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": told}
    return [{"id": new_id("msg_"), "type": "message", "status": _status(said), "role": "assistant", "content": [part]}]


def _calling(called: list[Tool], left: int | None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for tool in called:
        if left is not None and left <= 0:
            break
        said = limited(arguments(tool), left)
        made.append(_call(tool, said))
        left = None if left is None else left - tokens(said.text)
    return made


def _call(tool: Tool, said: Said) -> dict[str, Any]:
    told = {"call_id": f"call_{secrets.token_hex(12)}", "name": tool.name, "status": _status(said)}
    if tool.custom:
        return {"id": new_id("ctc_"), "type": "custom_tool_call", **told, "input": said.text}
    return {"id": new_id("fc_"), "type": "function_call", **told, "arguments": said.text}


def _status(said: Said) -> str:
    return "completed" if said.ended else "incomplete"


def _spent(item: dict[str, Any]) -> int:
    if item["type"] == "message":
        return tokens(item["content"][0]["text"])
    return tokens(item["name"]) + tokens(item.get("arguments") or item.get("input", ""))


def _sent(fields: dict[str, Any]) -> int:
    """The tokens of a request. Those of a previous response are not counted: the sandbox does not know them."""
    form = _object(fields, "text").get("format")
    beside = sum(tokens(value) for value in (fields.get("tools"), form) if value)
    return tokens(fields.get("instructions") or "") + tokens(fields.get("input") or "") + beside


def _usage(sent: int, said: int, thought: int) -> dict[str, Any]:
    return {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": sent + said,
    }


def _object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise SandboxError(400, f"Invalid type for '{name}': expected an object.", param=name, code="invalid_type")
    return value or {}


def _include(fields: dict[str, Any]) -> list[Any]:
    value = fields.get("include")
    return value if isinstance(value, list) else []


def _items(fields: dict[str, Any]) -> list[dict[str, Any]]:
    asked = fields.get("input")
    return [{"role": "user", "content": asked}] if isinstance(asked, str) else objects(asked, "input")


def _tools(fields: dict[str, Any]) -> list[Tool]:
    found = [tool_of(told, told, f"tools[{at}]") for at, told in enumerate(objects(fields.get("tools"), "tools"))]
    return [tool for tool in found if tool]


def _choice(fields: dict[str, Any]) -> Choice:
    asked = fields.get("tool_choice")
    if asked is None or asked in ("auto", "none", "required"):
        if asked == "required" and fields.get("tools") and not _tools(fields):
            return Choice("none")  # only OpenAI's own tools, which the sandbox does not have
        return Choice(asked or "auto")
    if isinstance(asked, dict):
        kind = asked.get("type")
        if kind in ("function", "custom") and isinstance(asked.get("name"), str):
            return Choice("required", [asked["name"]])
        if kind == "allowed_tools":
            names = [str(tool.get("name")) for tool in objects(asked.get("tools"), "tool_choice.tools")]
            return Choice("required" if asked.get("mode") == "required" else "auto", names)
        if kind in _HOSTED:
            return Choice("none")
    raise SandboxError(400, "Invalid value for 'tool_choice'.", param="tool_choice", code="invalid_value")


def _turn(items: list[dict[str, Any]]) -> Turn:
    called: list[str] = []
    answered, text = False, ""
    for item in reversed(items):
        if item.get("role") == "user":
            text = spoken(item.get("content"))
            break
        answered = answered or item.get("type") in _RESULTS
        if item.get("type") in _CALLS:
            called.append(str(item.get("name")))
    return Turn(text, called, answered)
