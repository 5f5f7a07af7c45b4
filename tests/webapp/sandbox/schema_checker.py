"""A small validator for JSON schemas, written apart from the sandbox that fills them."""

from __future__ import annotations

import json
import re
from typing import Any

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def faults(value: Any, schema: Any, root: Any = None, at: str = "$") -> list[str]:
    """Where the value is not valid for the schema."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return [] if schema else [f"{at}: nothing is allowed"]
    return [*combined(value, schema, root, at), *single(value, schema, at), *nested(value, schema, root, at)]


def combined(value: Any, schema: dict[str, Any], root: Any, at: str) -> list[str]:
    """By `$ref`, `allOf`, `anyOf` and `oneOf`."""
    found = []
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].lstrip("#").split("/")[1:]:
            target = target[step]
        found += faults(value, target, root, at)
    for part in schema.get("allOf", []):
        found += faults(value, part, root, at)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            fitting = [part for part in schema[word] if not faults(value, part, root, at)]
            if not fitting or (word == "oneOf" and len(fitting) > 1):
                found.append(f"{at}: {len(fitting)} branches of {word} fit {value!r}")
    return found


def single(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    """By `type`, `const` and `enum`."""
    found = []
    named = schema.get("type")
    if named is not None and not any(is_a(value, kind) for kind in ([named] if isinstance(named, str) else named)):
        found.append(f"{at}: {value!r} is no {named}")
    if "const" in schema and not equal(value, schema["const"]):
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and not any(equal(value, allowed) for allowed in schema["enum"]):
        found.append(f"{at}: {value!r} is not in {schema['enum']!r}")
    return found


def nested(value: Any, schema: dict[str, Any], root: Any, at: str) -> list[str]:
    """By the keywords of its own type."""
    found = []
    if isinstance(value, str):
        found += text_faults(value, schema, at)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found += number_faults(value, schema, at)
    elif isinstance(value, list):
        found += list_faults(value, schema, root, at)
    elif isinstance(value, dict):
        found += object_faults(value, schema, root, at)
    return found


def is_a(value: Any, kind: str) -> bool:
    if kind in ("number", "integer"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (kind == "number" or value == int(value))
    return isinstance(value, TYPES[kind])


def equal(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def text_faults(value: str, schema: dict[str, Any], at: str) -> list[str]:
    found = []
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
        found.append(f"{at}: {len(value)} characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']!r}")
    return found


def number_faults(value: float, schema: dict[str, Any], at: str) -> list[str]:
    outside = (
        value < schema.get("minimum", value)
        or value > schema.get("maximum", value)
        or value <= schema.get("exclusiveMinimum", value - 1)
        or value >= schema.get("exclusiveMaximum", value + 1)
        or ("multipleOf" in schema and abs(value / schema["multipleOf"] - round(value / schema["multipleOf"])) > 1e-9)
    )
    return [f"{at}: {value} is outside of {schema}"] if outside else []


def list_faults(value: list[Any], schema: dict[str, Any], root: Any, at: str) -> list[str]:
    found = []
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9):
        found.append(f"{at}: {len(value)} items")
    if schema.get("uniqueItems") and len({json.dumps(item, sort_keys=True) for item in value}) < len(value):
        found.append(f"{at}: items are there twice")
    first = schema.get("prefixItems", [])
    for number, item in enumerate(value):
        part = first[number] if number < len(first) else schema.get("items", True)
        found += faults(item, part, root, f"{at}[{number}]")
    return found


def object_faults(value: dict[str, Any], schema: dict[str, Any], root: Any, at: str) -> list[str]:
    found = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", 10**9):
        found.append(f"{at}: {len(value)} members")
    for name, item in value.items():
        matching = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        if name in schema.get("properties", {}):
            matching.append(schema["properties"][name])
        for part in matching or [schema.get("additionalProperties", True)]:
            found += faults(item, part, root, f"{at}.{name}")
        found += faults(name, schema.get("propertyNames", True), root, f"{at}: the name {name}")
    return found
