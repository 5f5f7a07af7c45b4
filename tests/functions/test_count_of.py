"""app.count_of: a count of tokens from OpenAI's JSON, for a column."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from people import People

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.from_regex(r"\A[-+ ]?[0-9_]{0,20}[.e]?[0-9]{0,5}\Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=5,
)


def count(conn: psycopg.Connection, text: str | None) -> int | None:
    return conn.execute("select app.count_of(%s::jsonb) as n", [text]).fetchone()["n"]


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("7", 7), ('"7"', 7), ("7.0", 7), ('"7.000000"', 7),
    ("999999999999", 999_999_999_999), ("1e3", 1000), ('"1e3"', 1000), ('"1e+2"', 100),
    ('"2.5e1"', 25)])  # fmt: skip
def test_whole_numbers_count_also_as_text(db: psycopg.Connection, text: str, expected: int) -> None:
    assert count(db, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        "null",
        "true",
        "-1",
        "1.5",
        "10000000000000",
        '"x"',
        '""',
        '" 7"',
        '"1e12"',
        '"1e-1"',
        "[7]",
        '{"n": 7}',
        '"0x10"',
        '"1_000"',
        '"７"',
        '"7\\n"',
        '"Infinity"',
        '"NaN"',
        "1e400",
    ],
)
def test_what_is_no_sensible_count_is_null(db: psycopg.Connection, text: str | None) -> None:
    assert count(db, text) is None


@examples(150)
@given(value=ANYTHING)
def test_nothing_raises_and_every_count_is_from_0_to_a_million_millions(db: psycopg.Connection, value: Any) -> None:
    n = count(db, json.dumps(value))
    assert n is None or 0 <= n < 10**12


@examples(100)
@given(
    value=ANYTHING,
    key=st.sampled_from(["prompt_tokens", "input_tokens", "prompt_tokens_details", "output_tokens_details"]),
)
def test_tokens_of_never_raises_either(people: People, value: Any, key: str) -> None:
    for usage in (value, {key: value}):
        assert people.one("select * from app.tokens_of(%s::jsonb)", json.dumps(usage)) is not None


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "count_of") == set()


@examples(150)
@given(value=ANYTHING)
def test_a_count_that_is_shown_is_the_one_that_is_priced(db: psycopg.Connection, value: Any) -> None:
    shown = count(db, json.dumps(value))
    priced = db.execute("select app.price_count(%s::jsonb) as n", [json.dumps(value)]).fetchone()["n"]
    assert shown is None or shown == priced
