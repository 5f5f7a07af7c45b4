"""app.spend_split: what a change of cost is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from people import People

SPLIT = "select * from app.spend_split(%s, %s, %s, %s, %s, %s)"


def split(people: People, *numbers: Any) -> tuple[Decimal, ...]:
    """change, and its parts: calls, tokens per call, price."""
    with people.as_("ada"):
        row = people.one(SPLIT, *numbers)
    return tuple(row[name] for name in ("change", "change_calls", "change_tokens", "change_price"))


@pytest.mark.parametrize(("before", "now", "parts"), [
    ((10, 1000, 5), (20, 2000, 10), (5, 0, 0)),  # twice the calls
    ((10, 1000, 5), (10, 3000, 15), (0, 10, 0)),  # longer ones
    ((10, 1000, 5), (10, 1000, 4), (0, 0, -1)),  # cheaper ones
    ((10, 1000, 5), (20, 1000, 8), (5, -5, 3)),
    ((10, 1000, 5), (0, 0, 0), (-5, 0, 0)),
    ((0, 0, 0), (4, 100, 3), (3, 0, 0)),  # new
    ((10, 0, 5), (20, 0, 12), (5, 0, 2)),  # images have no tokens
    ((10, 1000, 0), (10, 1000, 3), (0, 0, 3)),  # cost nothing before, or it was not known
    ((0, 0, 0), (0, 0, "0.25"), ("0.25", 0, 0)),  # a correction alone
])  # fmt: skip
def test_the_parts_are_calls_tokens_per_call_and_price(
    people: People, before: tuple[Any, ...], now: tuple[Any, ...], parts: tuple[Any, ...]
) -> None:
    change, *found = split(people, *before, *now)
    assert found == [Decimal(part) for part in parts] and change == sum(found)


number, money = st.integers(0, 10**12), st.decimals("-1000", "1000000", places=12)


@given(numbers=st.tuples(number, number, money, number, number, money))
@examples(100)
def test_the_parts_add_up_to_the_last_digit(people: People, numbers: tuple[Any, ...]) -> None:
    change, *parts = split(people, *numbers)
    assert change == sum(parts) == numbers[5] - numbers[2]


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "spend_split") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", SPLIT, *6 * [1])
