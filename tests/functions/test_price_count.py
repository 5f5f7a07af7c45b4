"""app.price_count: a count from OpenAI's JSON; NaN for anything else."""

from __future__ import annotations

import pytest
from checks import executors


def count(db, text):
    return db.execute("select app.price_count(%s::jsonb)::text as n", [text]).fetchone()["n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "0"),
        ("12", "12"),
        ('"12"', "12"),
        ("12.0", "12"),
        ("8.47", "8.47"),
        ('"8.470"', "8.47"),
        ('"1e3"', "1000"),
        ("1e-300", "0"),
        ("1000000000000", "1000000000000"),
        ("null", None),
        (None, None),
    ],
)
def test_numbers_and_strings_of_digits_are_counts(db, text, expected):
    assert count(db, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "1000000000001",
        "1e18",
        "1e1000",
        '"-1"',
        '"NaN"',
        '"Infinity"',
        '"1_0"',
        '"0x1"',
        '" 1"',
        '""',
        "true",
        "[]",
        "{}",
        '"1e9999"',
        f'"{"9" * 65}"',
    ],
)
def test_anything_else_is_nan(db, text):
    assert count(db, text) == "NaN"


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_count") == {"authenticated"}
