"""Values for JSON schemas: valid for every schema of the supported subset, and bounded work for all others."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_checker import faults

from webapp.sandbox.schema import filled
from webapp.sandbox.schema.strict import check_strict
from webapp.sandbox.schema.terms import BadSchema, TooLarge

NAMES = st.sampled_from(["a", "b", "name", "größe", "a/b", "x y"])
PATTERNS = [r"^\d{3}-\d{4}$", "^[a-z_]+$", "(red|green)!", r"^@[^\s@]+\.\w{2,5}$", "x*", r"^(ab){2,3}\.$", ".+", "^$|a"]


def bounds(low: str, high: str, numbers: st.SearchStrategy) -> st.SearchStrategy:
    """Two keywords of which the first is not above the second, or one, or none."""
    both = st.tuples(numbers, numbers).map(lambda pair: {low: min(pair), high: max(pair)})
    return both | numbers.map(lambda one: {low: one}) | numbers.map(lambda one: {high: one}) | st.just({})


STRINGS = st.one_of(
    bounds("minLength", "maxLength", st.integers(0, 30)),
    st.sampled_from(PATTERNS).map(lambda pattern: {"pattern": pattern}),
    st.sampled_from(["date-time", "uuid", "email", "ipv4", "duration", "unheard-of"]).map(
        lambda form: {"format": form}
    ),
).map(lambda rest: {"type": "string", **rest})
NUMBERS = st.one_of(
    bounds("minimum", "maximum", st.integers(-50, 50)).map(lambda rest: {"type": "integer", **rest}),
    bounds("minimum", "maximum", st.floats(-9, 9)).map(lambda rest: {"type": "number", **rest}),
    st.sampled_from([3, 7, 0.5]).map(lambda step: {"type": "integer", "minimum": -20, "multipleOf": step}),
    st.integers(-5, 5).map(lambda n: {"type": "number", "exclusiveMinimum": n, "exclusiveMaximum": n + 1}),
)
SINGLE = st.one_of(
    STRINGS,
    NUMBERS,
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"const": 0}, {}, True]),
    st.lists(st.sampled_from(["a", 1, None, True, [1], {"a": 1}]), min_size=1, max_size=4).map(lambda v: {"enum": v}),
    st.sampled_from([{"$ref": "#/$defs/node"}, {"$ref": "#/$defs/pair"}, {"$ref": "#/$defs/colour", "title": "C"}]),
)


def objects(parts: st.SearchStrategy) -> st.SearchStrategy:
    def made(properties: dict, optional: bool, more: object) -> dict:
        required = list(properties)[optional:]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": more}

    return st.builds(made, st.dictionaries(NAMES, parts, max_size=4), st.booleans(), st.sampled_from([False, True, {}]))


def nested(parts: st.SearchStrategy) -> st.SearchStrategy:
    lists = st.builds(
        lambda part, sizes: {"type": "array", "items": part, **sizes},
        parts,
        bounds("minItems", "maxItems", st.integers(0, 5)),
    )
    pairs = st.lists(parts, min_size=1, max_size=3).map(
        lambda three: {"type": "array", "prefixItems": three, "minItems": len(three), "maxItems": len(three)}
    )
    maps = parts.map(lambda part: {"type": "object", "additionalProperties": part, "minProperties": 2})
    either = st.lists(parts, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches, "description": "one"})
    every = st.tuples(objects(parts), NUMBERS).map(
        lambda two: {
            "allOf": [two[0] | {"additionalProperties": True}, {"required": ["z"], "properties": {"z": two[1]}}]
        }
    )
    return st.one_of(objects(parts), lists, pairs, maps, either, every)


DEFINITIONS = {
    "node": {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
        "required": ["value", "next"],
        "additionalProperties": False,
    },
    "pair": {
        "type": "object",
        "properties": {
            "left": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
            "right": {"$ref": "#/$defs/node"},
        },
        "required": ["left", "right"],
    },
    "colour": {"type": "string", "enum": ["red", "green"]},
}
SCHEMAS = objects(st.recursive(SINGLE, nested, max_leaves=12)).map(lambda schema: {**schema, "$defs": DEFINITIONS})


@settings(max_examples=100)
@given(SCHEMAS)
def test_every_schema_of_the_subset_is_filled_with_a_valid_value(schema):
    value = filled(schema)
    assert faults(value, schema) == []
    assert json.dumps(filled(schema)) == json.dumps(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 3, "maximum": 9}, 3),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "number", "maximum": -2.5}, -3),
        ({"type": "integer", "multipleOf": 2.5}, 5),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "string", "nullable": True, "enum": [None, "b"]}, None),
        ({"enum": ["b", 1], "type": "integer"}, 1),
        ({"oneOf": [{"type": "null"}, {"const": "x"}]}, "x"),
        ({"anyOf": [{"title": "cut"}, {"type": "null"}, {"const": "x"}]}, "x"),
        ({"anyOf": [{}, {"type": "null"}]}, None),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
        ({"type": "array", "items": False}, []),
        ({"type": "string", "minLength": 9}, "sandbox.."),
        ({"type": "string", "maxLength": 4}, "sand"),
        ({"type": "string", "pattern": "^[A-Z]{2}[0-9]{3}$", "minLength": 5}, "AA000"),
        ({"type": "object", "propertyNames": {"enum": ["k"]}, "additionalProperties": {"const": 2}}, {"k": 2}),
        ({"type": "object", "patternProperties": {"^x-[a-z]$": {"type": "null"}}}, {"x-a": None}),
        ({"anyOf": [{"minimum": 5}, {"type": "null"}], "type": "integer"}, 5),
    ],
)
def test_a_keyword_decides_the_value(schema, value):
    assert filled(schema) == value


def test_formats_are_what_they_say():
    assert UUID(filled({"type": "string", "format": "uuid"}))
    assert datetime.fromisoformat(filled({"type": "string", "format": "date-time"}))
    many = filled(
        {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 500, "uniqueItems": True}
    )
    assert len({datetime.fromisoformat(day) for day in many}) == 500


def test_recursion_ends_where_the_schema_allows_it():
    node = {
        "type": "object",
        "required": ["next"],
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    }
    assert filled(node) == {"next": {"next": {"next": None}}}
    tree = {"type": "object", "required": ["kids"], "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}
    assert filled(tree) == {"kids": [{"kids": [{"kids": []}]}]}


def test_many_definitions_that_hold_each_other_are_filled_with_what_must_be_there():
    names = [f"d{number}" for number in range(30)]
    either = {name: {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]} for name in names}
    definition = {"type": "object", "properties": either, "required": names, "additionalProperties": False}
    schema = {**definition, "$defs": dict.fromkeys(names, definition)}
    check_strict(schema)
    assert faults(filled(schema), schema) == []


DOUBLED = {f"d{n}": {"type": "array", "items": {"$ref": f"#/$defs/d{n + 1}"}, "minItems": 2} for n in range(40)}
DEEP: dict = {"type": "string"}
for _ in range(200):
    DEEP = {"type": "array", "items": DEEP, "minItems": 1}
HOSTILE = [
    {"type": "array", "items": {"type": "object"}, "minItems": 10**12},
    {"type": "object", "minProperties": 10**12},
    {"type": "string", "minLength": 10**12},
    {"type": "string", "pattern": "((a{999}){999}){999}"},
    {"type": "string", "pattern": "^(a+)+$", "minLength": 9_999_999},
    {"type": "string", "pattern": "(?=x)y"},
    {"type": "string", "pattern": "("},
    {"type": "string", "pattern": "(" * 1500 + ")" * 1500},
    {"type": "object", "properties": {"me": {"$ref": "#"}}, "required": ["me"]},
    {"$ref": "#"},
    {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
    {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    {"$ref": "#/$defs/d0", "$defs": {**DOUBLED, "d40": {"type": "null"}}},
    {"anyOf": [{"$ref": f"#/anyOf/{n}"} for n in range(1, 30)] + [False]},
    DEEP,
    {"$ref": "https://example.com/schema"},
    {"$ref": "#/$defs/missing"},
    {"$ref": 7},
    {"type": "text"},
    {"type": 7},
    {"type": "integer", "minimum": "3"},
    {"type": "integer", "minimum": 3, "maximum": 2},
    {"type": "number", "maximum": float("inf")},
    {"type": "number", "multipleOf": 0},
    {"enum": []},
    {"anyOf": []},
    {"anyOf": {}},
    {"type": "object", "properties": []},
    {"type": "object", "properties": {"a": 7}},
    {"type": "object", "required": [7]},
    {"type": "object", "required": ["a"], "additionalProperties": False},
    {"type": "array", "minItems": -1},
    {"type": "array", "minItems": 2, "maxItems": 1},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True},
    False,
    7,
    None,
]


@pytest.mark.parametrize("schema", HOSTILE, ids=lambda schema: str(schema)[:50])
def test_a_schema_that_cannot_be_filled_is_refused_and_never_hangs(schema):
    with pytest.raises(BadSchema):
        filled(schema)


WORDS = ["type", "properties", "items", "anyOf", "allOf", "$ref", "enum", "pattern", "minimum", "minItems", "required"]
VALUES = st.recursive(
    st.sampled_from([None, True, -1, 3, 1e308, "", "#", "#/anyOf/0", "object", "array", "a{9}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_whatever_is_given_as_a_schema_is_filled_or_refused(schema):
    for judge in (filled, check_strict):
        try:
            json.dumps(judge(schema), allow_nan=False)
        except BadSchema as error:
            assert str(error)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "array", "items": {}}, "got 'type: \"array\"'"),
        ({"type": "object", "properties": {}}, "'additionalProperties' is required to be supplied and to be false"),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, "Missing 'a'"),
        (
            {
                "type": "object",
                "properties": {"a": {"oneOf": [{}]}},
                "required": ["a"],
                "additionalProperties": False,
            },
            r"context=\('properties', 'a'\), 'oneOf' is not permitted",
        ),
    ],
)
def test_strict_mode_demands_what_openai_demands(schema, told):
    with pytest.raises(BadSchema, match=told):
        check_strict(schema)


def test_a_schema_of_too_many_parts_is_too_large():
    with pytest.raises(TooLarge):
        filled({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(30_000)}})
