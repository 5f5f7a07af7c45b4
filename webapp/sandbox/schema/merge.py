"""Two JSON schemas as one that demands both, as `allOf` and the neighbours of `$ref` and `anyOf` do."""

from __future__ import annotations

import json
from typing import Any

from webapp.sandbox.schema.terms import BadSchema, inner, kinds, listed, names, number

_LARGEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_BOTH = ("items", "additionalProperties", "propertyNames")


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema whose values are valid for both; of two patterns, or two formats, only the one of ``other`` counts."""
    merged = {**one, **other}
    for word in one.keys() & other.keys():
        merged[word] = _merged(word, one, other)
    return merged


def key(value: Any) -> str:
    """A text that is equal for equal JSON values."""
    return json.dumps(value, sort_keys=True)


def _merged(word: str, one: dict[str, Any], other: dict[str, Any]) -> Any:
    left, right = one[word], other[word]
    if word in _LARGEST or word in _SMALLEST:
        bounds = [(number(schema, word), schema[word]) for schema in (one, other)]
        known = [bound for bound in bounds if bound[0] is not None] or bounds
        return (max if word in _LARGEST else min)(known, key=lambda bound: bound[0] or 0)[1]
    if word in _BOTH:
        return {"allOf": [left, right]}
    found = right
    match word:
        case "type":
            found = _shared_kinds(one, other)
        case "required":
            found = list(dict.fromkeys(names(one) + names(other)))
        case "enum":
            allowed = {key(value) for value in listed(other, word)}
            found = [value for value in listed(one, word) if key(value) in allowed]
        case "properties" | "patternProperties":
            found = _properties(inner(one, word), inner(other, word))
        case "anyOf" | "oneOf":
            found = [{"allOf": [branch, {word: right}]} for branch in listed(one, word)]
        case "multipleOf":
            found = _multiple(number(one, word), number(other, word), left, right)
    return found


def _shared_kinds(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    left, right = kinds(one), kinds(other)
    shared = [kind for kind in left if kind in right]
    if ("integer" in left and "number" in right) or ("number" in left and "integer" in right):
        shared = [*(kind for kind in shared if kind != "number"), "integer"]
    return shared


def _properties(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {name: {"allOf": [one[name], other[name]]} for name in one.keys() & other.keys()}
    return {name: both.get(name, schema) for name, schema in {**one, **other}.items()}


def _multiple(one: Any, other: Any, left: Any, right: Any) -> Any:
    """The larger where it is a multiple of the smaller, else their product, which is a multiple of whole numbers."""
    if not one or not other:
        raise BadSchema("'multipleOf' has to be a number above 0")
    if (one / other).denominator == 1:
        return left
    return right if (other / one).denominator == 1 else left * right
