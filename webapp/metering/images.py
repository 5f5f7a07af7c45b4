"""Images: the tokens of the image tool inside a response, and those of the model that writes SVG images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webapp.metering.jsonwalk import as_object, as_objects
from webapp.metering.text import clean
from webapp.metering.usage import DROPPED, MAX_STRING_CHARS, add, sanitise


def image_usage(response: dict[str, Any], items: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The `tool_usage` block with the `image_model` its tokens are priced at; None when no image was made.

    `image_model` is None when the answer's tool names no model: OpenAI changes the default. Also when several tools
    name different ones: nothing says which of them drew. `image_gen` is None when an image was made and no token of it
    counted, or tokens stand only in its details.
    """
    tool_usage = as_object(response.get("tool_usage"))
    block = tool_usage.get("image_gen")
    counted = any_count([value for value in as_object(block).values() if not isinstance(value, dict)])
    drawn = [item for item in items if item["type"] == "image_generation_call" and item["status"] != "failed"]
    if all(item["svg"] for item in drawn) and not any_count(block):
        return None
    models = [tool.get("model") for tool in as_objects(response.get("tools")) if tool.get("type") == "image_generation"]
    return {
        **tool_usage,
        "image_gen": block if counted else None,
        "image_model": models[0] if models and models.count(models[0]) == len(models) else None,
    }


def svg_counts(block: Any) -> dict[str, Any] | None:
    """An `svg_usage` object as it may be stored; None when there is none. One without counts says that it had some."""
    if block is None:
        return None
    return sanitise(block) or {"model": clean(as_object(block).get("model"), MAX_STRING_CHARS), DROPPED: 1}


def svg_usage(blocks: Iterable[dict[str, Any] | None]) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Blocks of `svg_counts` added up for each model: one object, or a list when there are several models."""
    by_model: dict[str, Any] = {}
    for block in blocks:
        if block:
            model = str(block.get("model"))
            by_model[model] = add(by_model.get(model), block)
    found = list(by_model.values())
    return found if len(found) > 1 else next(iter(found), None)


def any_count(value: Any) -> bool:
    """Whether a number (a jsonwalk.Number, so a string) other than 0 is in OpenAI's JSON, at any depth."""
    if isinstance(value, dict | list):
        return any(map(any_count, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and value.strip("0.") != ""
