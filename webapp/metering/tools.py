"""Tool calls of a Responses answer that are billed per call, counted by price dimension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# The items that cost something per call, and the parts of them that are needed to count.
COUNTED = ("web_search_call", "file_search_call", "code_interpreter_call", "shell_call", "image_generation_call")
_NOT_SEARCHES = ("open_page", "find_in_page", "find")  # actions of a search call item that read a page, which is free


def slim(item: Any) -> dict[str, Any] | None:
    """An output item without its content, or None when its kind is not billed per call."""
    if not isinstance(item, dict) or item.get("type") not in COUNTED:
        return None
    action, environment = _dict(item.get("action")), _dict(item.get("environment"))
    return {
        "type": item["type"],
        "action": action.get("type"),
        "container": item.get("container_id") or environment.get("container_id"),
    }


def count(response: dict[str, Any], streamed: list[dict[str, Any]]) -> dict[str, int] | None:
    """Billed calls by dimension; None when there are none.

    The numbers in `tool_usage` come first. What it does not name is counted by the items seen in the stream, or without
    a stream by those in the output.
    """
    tools, tool_usage = _dicts(response.get("tools")), _dict(response.get("tool_usage"))
    items = streamed or [item for item in map(slim, _dicts(response.get("output"))) if item]
    searches = [item for item in items if item["type"] == "web_search_call" and item["action"] not in _NOT_SEARCHES]
    files = [item for item in items if item["type"] == "file_search_call"]
    counts = {
        _search_dimension(tools): _requests(tool_usage, "web_search", len(searches)),
        "file_search_calls": _requests(tool_usage, "file_search", len(files)),
        "container_sessions": len(_new_containers(tools, items)),
    }
    return {dimension: number for dimension, number in counts.items() if number} or None


def image_usage(response: dict[str, Any], streamed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The `tool_usage` block with the `image_model` its tokens are priced at; None when no image was made."""
    tool_usage = _dict(response.get("tool_usage"))
    items = streamed or _dicts(response.get("output"))
    made = any(item.get("type") == "image_generation_call" for item in items)
    if not made and not _any_tokens(_dict(tool_usage.get("image_gen"))):
        return None
    models = [tool.get("model") for tool in _dicts(response.get("tools")) if tool.get("type") == "image_generation"]
    return {"image_gen": None, **tool_usage, "image_model": next((model for model in models if model), None)}


def _search_dimension(tools: Iterable[dict[str, Any]]) -> str:
    """The preview tool has its own price; an answer that names no tool used the generally available one."""
    kinds = [kind for tool in tools if (kind := str(tool.get("type"))).startswith("web_search")]
    preview = kinds and all(kind.startswith("web_search_preview") for kind in kinds)
    return "web_search_preview_calls" if preview else "web_search_calls"


def _requests(tool_usage: dict[str, Any], tool: str, fallback: int) -> int:
    """The calls of one tool in `tool_usage` (a jsonwalk.Number, so a string of digits); else the fallback."""
    said = _dict(tool_usage.get(tool)).get("num_requests")
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 9 else fallback


def _new_containers(tools: Iterable[dict[str, Any]], items: Iterable[dict[str, Any]]) -> set[str]:
    """Distinct containers the items ran in, without those of the request: they were billed before."""
    named = set()
    for tool in tools:
        named.add(str(tool.get("container")))
        named.add(str(_dict(tool.get("environment")).get("container_id")))
    return {item["container"] for item in items if isinstance(item["container"], str)} - named


def _any_tokens(block: dict[str, Any]) -> bool:
    return any(isinstance(value, str) and value.strip("0.") for value in block.values())


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
