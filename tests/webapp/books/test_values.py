"""Exact numbers, however OpenAI writes them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.books.values import BooksError, exact


@pytest.mark.parametrize(("text", "expected"), [
    ("0.18", "0.18"), ('"0.000004500000000000000000000000000000000"', "0.0000045"),
    ('"0E-6176"', "0"), ("1.5e-2", "0.015"),
    ("-0.5", "-0.5"), ("1e3", "1000"), ("100", "100"), ('"100.00"', "100"), ("-0.0", "0"), ('" 1.50 "', "1.5"),
    ('"1E-39"', "0." + "0" * 38 + "1"),
    ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
])  # fmt: skip
def test_a_number_is_plain_decimal_text(text: str, expected: str) -> None:
    assert exact(json.loads(text, parse_float=Decimal), "x") == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20")))
def test_no_digit_is_lost(number: Decimal) -> None:
    if number.adjusted() > -1000:
        for spelled in (str(number), f"{number:e}", number):
            assert Decimal(exact(spelled, "x")) == number


@pytest.mark.parametrize("wrong", [
    None, True, [], {}, "", "one", "NaN", "-Infinity", "1e31", "1e-2000", 0.5, "1_0é", "9" * 2000, 10**40,
])  # fmt: skip
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(BooksError):
        exact(wrong, "x")
