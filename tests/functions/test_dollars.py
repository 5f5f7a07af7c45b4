"""app.dollars: an amount as text for people."""

from __future__ import annotations

from decimal import Decimal

import pytest
from checks import executors
from people import People


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("2.5", "$2.50"), ("10", "$10.00"), ("0", "$0.00"), ("11.2000", "$11.20"), ("0.0125", "$0.0125"),
        ("-0.5", "-$0.50"), ("1234567.000000000001", "$1234567.000000000001"), ("1E+3", "$1000.00"),
    ],
)  # fmt: skip
def test_every_digit_is_there_and_at_least_two_decimals(people: People, amount: str, text: str) -> None:
    assert people.one("select app.dollars(%s) as text", Decimal(amount))["text"] == text


def test_what_is_not_known_stays_so(people: People) -> None:
    assert people.one("select app.dollars(null) as text")["text"] is None


def test_only_signed_in_people_may_ask(people: People) -> None:
    assert executors(people.conn, "dollars") == {"authenticated"}
