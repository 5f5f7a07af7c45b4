"""Tool calls of a Responses answer that are billed per call, counted by price dimension."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from webapp.metering.images import any_count, svg_counts
from webapp.metering.jsonwalk import as_object, as_objects
from webapp.metering.selected import WHOLE

# The items that cost something per call, and the parts of them that are needed to count.
COUNTED = ("web_search_call", "file_search_call", "code_interpreter_call", "shell_call", "image_generation_call")
# Their members that are read, and those of a response's `tools` (see selected.py).
ITEM = {
    **dict.fromkeys(("type", "status", "container_id", "svg_usage"), WHOLE),
    "action": {"type": WHOLE},
    "environment": {"container_id": WHOLE},
}
_PLACE = {"type": WHOLE, "memory_limit": WHOLE, "container_id": WHOLE}
TOOL = {"type": WHOLE, "model": WHOLE, "container": _PLACE, "environment": _PLACE}
_NOT_SEARCHES = ("open_page", "find_in_page", "find")  # actions of a search call item that read a page, which is free
_WITHOUT_RESULT = ("failed", "incomplete", "cancelled")  # statuses of a search that is not billed
_FAMILIES = ("image_gen", "web_search", "file_search")  # of `tool_usage`
_MAX_UNKNOWN, _UNKNOWN_CHARS = 8, 30


def slim(item: Any) -> dict[str, Any] | None:
    """An output item without its content, or None when its kind is not billed per call."""
    if not isinstance(item, dict) or item.get("type") not in COUNTED:
        return None
    action, environment = as_object(item.get("action")), as_object(item.get("environment"))
    return {
        "type": item["type"],
        "status": item.get("status"),
        "action": action.get("type"),
        "container": item.get("container_id") or environment.get("container_id"),
        "svg": svg_counts(item.get("svg_usage")),
    }


def items_of(response: dict[str, Any], streamed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The slim items of a response: those of its output, or those seen in its stream when they are not fewer.

    The final object of a stream may have an empty output, and a stream that a client resumed has only its last items.
    """
    output = [item for item in map(slim, as_objects(response.get("output"))) if item]
    return streamed if len(streamed) >= len(output) else output


def count(
    response: dict[str, Any], items: list[dict[str, Any]], containers: Mapping[str, str]
) -> dict[str, int] | None:
    """Billed calls by dimension; None when there are none.

    The numbers in `tool_usage` come first. What it does not name is counted by the items. `containers`: those that the
    items ran in, see containers.used.
    """
    tools, tool_usage = as_objects(response.get("tools")), as_object(response.get("tool_usage"))
    ended = [item for item in items if item["status"] not in _WITHOUT_RESULT]
    searches = [item for item in ended if item["type"] == "web_search_call" and item["action"] not in _NOT_SEARCHES]
    files = [item for item in ended if item["type"] == "file_search_call"]
    counts = {
        _search_dimension(tools): _requests(tool_usage, "web_search", len(searches)),
        "file_search_calls": _requests(tool_usage, "file_search", len(files)),
        **Counter(containers.values()),
        **_unknown(tool_usage),
    }
    return {dimension: number for dimension, number in counts.items() if number} or None


def _search_dimension(tools: Iterable[dict[str, Any]]) -> str:
    """The preview tool has its own price; an answer that names no tool used the generally available one.

    Where the model could use both, no answer says which of them searched (see app.price_offer).
    """
    kinds = (kind for tool in tools if (kind := str(tool.get("type"))).startswith("web_search"))
    preview = {kind.startswith("web_search_preview") for kind in kinds}
    if len(preview) == 2:
        return "web_search_or_preview_calls"
    return "web_search_preview_calls" if True in preview else "web_search_calls"


def _requests(tool_usage: dict[str, Any], tool: str, fallback: int) -> int:
    """The calls of one tool in `tool_usage` (a jsonwalk.Number, so a string of digits); else the fallback."""
    said = as_object(tool_usage.get(tool)).get("num_requests")
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 9 else fallback


def _unknown(tool_usage: dict[str, Any]) -> dict[str, int]:
    """Calls of tools that nobody knows yet: dimensions without a price, so that the cost is unknown, not too low."""
    unknown = (tool for tool, block in tool_usage.items() if tool not in _FAMILIES and any_count(block))
    return {f"{_name(tool)}_calls": _requests(tool_usage, tool, 1) for tool in islice(unknown, _MAX_UNKNOWN)}


def _name(tool: str) -> str:
    """The name of a tool as part of a dimension: small letters and underscores."""
    return "".join(char for char in tool.lower() if char.isascii() and (char.isalpha() or char == "_"))[:_UNKNOWN_CHARS]
