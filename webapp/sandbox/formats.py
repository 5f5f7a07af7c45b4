"""The form a request asks for: any text, any JSON object, or JSON that is valid for a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from webapp.sandbox.refused import SandboxError, one_of
from webapp.sandbox.schema import filled
from webapp.sandbox.schema.strict import check_strict
from webapp.sandbox.schema.terms import BadSchema
from webapp.sandbox.wording import TEXT

MAX_LOOKS = 10  # braces of a text that are looked at for a schema
_DECODER = json.JSONDecoder()
_KINDS = ("text", "json_object", "json_schema", "grammar", "python")


def text_in_form(form: Any, param: str, *, inner: str, code: str | None, asked: list[str]) -> str:
    """The text of an answer in the form that the request asks for.

    form: `response_format` of a chat completion or `text.format` of a response; `param` is its name. `inner`: the
    member of it that holds name and schema, "" if it holds them itself. `code`: of OpenAI's error for a bad schema.
    `asked`: the texts of the messages. For `json_object` they have to speak of JSON; a JSON schema in them is filled.
    """
    if form is None:
        return TEXT
    if not isinstance(form, dict):
        raise SandboxError(400, f"Invalid type for '{param}': expected an object.", param=param, code="invalid_type")
    kind = one_of(form.get("type"), _KINDS, f"{param}.type")
    if kind == "json_object":
        return _any_object(param, asked)
    return _by_schema(form, param, inner, code) if kind == "json_schema" else TEXT


def _any_object(param: str, asked: list[str]) -> str:
    if not any("json" in text.lower() for text in asked):
        message = f"The messages must contain the word 'json' in some form, to use '{param}' of type 'json_object'."
        raise SandboxError(400, message, param=param)
    for schema in (found for text in asked for found in _schemas_in(text)):
        with suppress(BadSchema):
            return _json(filled(schema))
    return _json({"message": TEXT})


def _schemas_in(text: str) -> Iterator[dict[str, Any]]:
    """JSON schemas of objects that are written in a text; clients without structured outputs put them there."""
    at = -1
    for _ in range(MAX_LOOKS):
        at = text.find("{", at + 1)
        if at < 0 or '"properties"' not in text[at:]:
            return
        with suppress(ValueError, RecursionError):
            found, at = _DECODER.raw_decode(text, at)
            if isinstance(found, dict) and ("properties" in found or "$ref" in found):  # "$ref": of a recursive model
                yield found


def _by_schema(form: dict[str, Any], param: str, inner: str, code: str | None) -> str:
    told, place = (form.get(inner), f"{param}.{inner}") if inner else (form, param)
    if not isinstance(told, dict) or told.get("name") is None or (not inner and told.get("schema") is None):
        missing = f"{place}.{'name' if isinstance(told, dict) and told.get('name') is None else 'schema'}"
        missing = missing if isinstance(told, dict) else place
        message = f"Missing required parameter: '{missing}'."
        raise SandboxError(400, message, param=missing, code="missing_required_parameter")
    name = told["name"]
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,64}", name, re.ASCII):
        message = f"Invalid '{place}.name': expected up to 64 letters, digits, '_' and '-'."
        raise SandboxError(400, message, param=f"{place}.name", code="invalid_value")
    schema = told.get("schema")
    schema = {"type": "object"} if schema is None else schema
    try:
        if told.get("strict") is True:
            check_strict(schema)
        return _json(filled(schema))
    except BadSchema as error:
        message = f"Invalid schema for response_format '{name}': {error}"
        raise SandboxError(400, message, param=param if inner else f"{param}.schema", code=code) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
