"""Containers: which of them an answer ran in, and the memory that the price of their sessions depends on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from webapp.metering.jsonwalk import as_object
from webapp.metering.text import MAX_ID_CHARS, clean

CONTAINERS = "/v1/containers"
# Kind of tool → the member of the tool that says what container it runs in; kind of item → kind of tool.
PLACES = {"code_interpreter": "container", "shell": "environment"}
_TOOL_OF = {"code_interpreter_call": "code_interpreter", "shell_call": "shell"}
_SMALLEST = "1g"  # the default, and the price without a qualifier
_NOT_A_WORD = re.compile(r"[^a-z0-9]")
_MAX_CHARS = 20
# Answers that ran in more tell none to the ledger, which would take long to look them up: each counts as a session.
MAX_TOLD = 32


def memory(limit: Any) -> str | None:
    """A `memory_limit` as a qualifier: `4g`; None when there is none. `unknown`, without a price, for no text."""
    if limit is None:
        return None
    word = _NOT_A_WORD.sub("", limit.lower())[:_MAX_CHARS] if isinstance(limit, str) else ""
    return word or "unknown"


def memory_of(tools: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The memory that tools ask for, by kind of tool; `mixed`, without a price, when two of a kind differ."""
    found: dict[str, str] = {}
    for tool in tools:
        kind = tool.get("type")
        place = PLACES.get(kind) if type(kind) is str else None
        if place and (word := memory(as_object(tool.get(place)).get("memory_limit"))):
            found[kind] = word if found.get(kind, word) == word else "mixed"
    return found


def dimension(word: str | None) -> str:
    """The price dimension of a session with so much memory."""
    return "container_sessions" if word in (None, _SMALLEST) else f"container_sessions:{word}"


def used(tools: list[dict[str, Any]], items: Iterable[dict[str, Any]], asked: Mapping[str, str]) -> dict[str, str]:
    """The containers that items ran in, each with the dimension of its sessions, except those that the request named.

    Containers that the request names were billed before. Whether the others were, too, only the ledger knows: OpenAI
    goes on in the container of an earlier response (see app.settle_containers). `tools`: of the answer; `asked`: the
    memory in the request.
    """
    named = set()
    for tool in tools:
        named.add(str(tool.get("container")))
        named.add(str(as_object(tool.get("environment")).get("container_id")))
    words = {**asked, **memory_of(tools)}
    found: dict[str, str] = {}
    for item in items:
        if (name := clean(item["container"], MAX_ID_CHARS)) and name not in named:
            found.setdefault(name, dimension(words.get(_TOOL_OF.get(item["type"], ""))))
    return found
