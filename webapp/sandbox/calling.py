"""Tools of a request: which of them the sandbox calls, and with what.

Made-up arguments can do harm. So with `tool_choice` "auto" an agent's large set of tools is left alone unless the
user's message names one of them; of up to MAX_OFFERED tools one is always called. Tools that were called since the
user's message are not called again, so that loops of agents end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from webapp.sandbox.refused import SandboxError
from webapp.sandbox.schema import filled
from webapp.sandbox.schema.strict import check_strict
from webapp.sandbox.schema.strings import string_for
from webapp.sandbox.schema.terms import BadSchema

MAX_OFFERED = 3  # tools that may be called without being named
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_SHORT = 3  # letters of a word that says nothing, as "get"


class Tool(NamedTuple):
    """A function or custom tool. `schema`: of its arguments; `form`: a custom tool's `format`; `param`: its place."""

    name: str
    schema: Any
    param: str
    strict: bool = False
    custom: bool = False
    form: Any = None


class Choice(NamedTuple):
    """What `tool_choice` says. `mode`: auto, required or none; `only`: the names it allows, None for all."""

    mode: str
    only: Sequence[str] | None = None


class Turn(NamedTuple):
    """The conversation since the last message of the user: its text, and which tools were called after it."""

    text: str
    called: Sequence[str]
    answered: bool  # whether there is a result of a tool


def tool_of(told: dict[str, Any], inner: dict[str, Any], param: str) -> Tool | None:
    """The tool in an element of `tools`; `inner` has its name and schema. None for OpenAI's own tools."""
    if told.get("type") not in ("function", "custom"):
        return None
    name = inner.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,128}", name, re.ASCII):
        message = f"Invalid '{param}.name': expected a string of letters, digits, '_' and '-'."
        raise SandboxError(400, message, param=f"{param}.name", code="invalid_value")
    if told["type"] == "custom":
        return Tool(name, None, param, custom=True, form=inner.get("format"))
    schema = inner.get("parameters")
    tool = Tool(name, {"type": "object"} if schema is None else schema, param, strict=inner.get("strict") is True)
    if tool.strict:
        _refusing(tool, lambda: check_strict(tool.schema))
    return tool


def chosen(tools: list[Tool], choice: Choice, turn: Turn, *, several: bool) -> list[Tool]:
    """The tools to call now; `several`: whether more than one call at once is allowed."""
    allowed = [tool for tool in tools if choice.only is None or tool.name in choice.only]
    if choice.only is not None and not allowed:
        message = f"Tool choice {list(choice.only)[:3]} not found in 'tools' parameter."
        raise SandboxError(400, message, param="tool_choice")
    if choice.mode == "required" and not tools:
        raise SandboxError(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if choice.mode == "none" or not allowed or (choice.mode == "auto" and turn.answered):
        return []
    waiting = [tool for tool in allowed if tool.name not in turn.called]
    named = _named(waiting, turn.text, exactly=len(allowed) > MAX_OFFERED)
    if not named and (choice.mode == "required" or len(allowed) <= MAX_OFFERED):
        named = waiting[:1] or allowed[-1:]
    return named if several else named[:1]


def arguments(tool: Tool) -> str:
    """The arguments of a call as JSON, valid for the tool's schema; the input of a custom tool."""
    if not tool.custom:
        value = _refusing(tool, lambda: filled(tool.schema))
        if not isinstance(value, dict):
            message = f"Invalid schema for function '{tool.name}': schema must be a JSON Schema of 'type: \"object\"'."
            raise SandboxError(400, message, param=f"{tool.param}.parameters", code="invalid_function_parameters")
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    form = tool.form if isinstance(tool.form, dict) else {}
    grammar = form.get("grammar") if isinstance(form.get("grammar"), dict) else form
    if isinstance(grammar, dict) and grammar.get("syntax") == "regex":
        return _refusing(tool, lambda: string_for({"pattern": grammar.get("definition")}, 0))
    return "sandbox"


def _refusing(tool: Tool, work: Any) -> Any:
    try:
        return work()
    except BadSchema as error:
        message = f"Invalid schema for function '{tool.name}': {error}"
        param = f"{tool.param}.parameters"
        raise SandboxError(400, message, param=param, code="invalid_function_parameters") from None


def _named(tools: list[Tool], text: str, *, exactly: bool) -> list[Tool]:
    """The tools whose name is in the text; unless `exactly`, one word of the name is enough."""
    whole = [tool for tool in tools if tool.name in text]
    if whole or exactly:
        return whole
    said = {word.rstrip("s") for word in _words(text)}
    return [tool for tool in tools if any(word.rstrip("s") in said for word in _words(tool.name) if len(word) > _SHORT)]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _SPLIT.split(text) if word]
