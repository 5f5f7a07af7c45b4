"""What OpenAI demands of a schema with `strict: true`, so that a schema that works here works there as well."""

from __future__ import annotations

from typing import Any

from webapp.sandbox.schema.terms import BadSchema, TooLarge, inner, kinds, listed, names

MAX_PARTS = 20_000
# Keywords that OpenAI refuses in strict mode; without it they are allowed, and filled where the sandbox can.
FORBIDDEN = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")


def check_strict(schema: Any) -> None:
    """Raises BadSchema, in OpenAI's words, where strict mode does not allow the schema."""
    if not isinstance(schema, dict) or ("$ref" not in schema and schema.get("type") != "object"):
        found = schema.get("type") if isinstance(schema, dict) else None
        raise BadSchema(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{str(found)[:80]}\"'.")
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    seen = 0
    while waiting:
        context, part = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise TooLarge("the schema is too large")
        if isinstance(part, dict):
            _check(context, part)
            waiting += _parts(context, part)


def _check(context: tuple[str, ...], part: dict[str, Any]) -> None:
    forbidden = next((word for word in FORBIDDEN if word in part), None)
    if forbidden:
        raise BadSchema(f"In context={context}, '{forbidden}' is not permitted.")
    if "type" not in part or "object" not in kinds(part):
        return
    if part.get("additionalProperties") is not False:
        raise BadSchema(f"In context={context}, 'additionalProperties' is required to be supplied and to be false.")
    required = set(names(part))
    missing = next((name for name in inner(part, "properties") if name not in required), None)
    if missing is not None:
        message = "'required' is required to be supplied and to be an array including every key in properties."
        raise BadSchema(f"In context={context}, {message} Missing '{missing[:80]}'.")


def _parts(context: tuple[str, ...], part: dict[str, Any]) -> list[tuple[tuple[str, ...], Any]]:
    found = [((*context, word, name), below) for word in ("$defs", "definitions", "properties")
             for name, below in inner(part, word).items()]  # fmt: skip
    found += [((*context, word, str(at)), below) for word in ("anyOf", "prefixItems")
              for at, below in enumerate(listed(part, word))]  # fmt: skip
    return found + ([((*context, "items"), part["items"])] if "items" in part else [])
