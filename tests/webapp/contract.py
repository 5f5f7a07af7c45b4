"""Holds an answer of the API against the OpenAPI document: whatever a test calls is checked."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from webapp.api.openapi import _document

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
FORMATS = {"uuid": UUID, "date": date.fromisoformat, "date-time": datetime.fromisoformat}


def check_answer(answer: TestResponse, method: str, path: str) -> None:
    """Assert that an answer is one the document promises: the documented success, or an error in OpenAI's shape."""
    path = path.partition("?")[0]
    found = [
        operations[method.lower()]
        for template, operations in _document()["paths"].items()
        if method.lower() in operations and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    if answer.status_code >= 400 or not found:
        conforms({"$ref": "#/components/schemas/Error"}, answer.json, "error")
        assert answer.json["error"]["message"] and answer.json["error"]["code"], answer.text
        return
    promised = found[0]["responses"].get(str(answer.status_code))
    assert promised is not None, f"{method} {path} answered {answer.status_code}: not in the document"
    if "content" in promised:
        conforms(promised["content"]["application/json"]["schema"], answer.json, path)
    else:
        assert answer.data == b""


def conforms(schema: dict[str, Any], value: Any, where: str) -> None:
    """Assert that a value fits a schema, with neither a property too few nor one too many."""
    if "$ref" in schema:
        schema = _document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = schema["anyOf"][0 if value is not None else 1]
        return conforms(schema, value, where)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(type(value) is TYPES[kind] for kind in kinds), f"{where}: {value!r} is not {kinds}"
    assert "enum" not in schema or value in schema["enum"], f"{where}: {value!r}"
    if isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value), f"{where}: {value!r}"
        FORMATS.get(schema.get("format", ""), str)(value)
        utc = schema.get("format") == "date-time" and "pattern" not in schema
        assert not utc or value.endswith("Z"), f"{where}: {value!r} is not UTC"
    elif isinstance(value, list):
        for item in value:
            conforms(schema["items"], item, where + "[]")
    elif isinstance(value, dict) and not schema.get("additionalProperties"):
        assert set(value) <= set(schema["properties"]), (
            f"{where}: {set(value) - set(schema['properties'])} not documented"
        )
        assert set(schema["required"]) <= set(value), f"{where}: {set(schema['required']) - set(value)} missing"
        for name, part in value.items():
            conforms(schema["properties"][name], part, f"{where}.{name}")
    return None
