"""app.call_fills: how the missing cost of one call became known."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from checks import executors
from people import People

FILLS = "select * from app.call_fills(%s)"
FILL = "select app.fill_call(%s, %s, 0.5, 'priced', '[]', null, null, 'gpt-x', 'flex', 'a price arrived')"


@pytest.fixture
def filled(people: People) -> UUID:
    row = people.call("ada", model="unheard-of", model_requested="unheard-of")
    people.one(FILL, row["id"], row["started_at"])
    return row["id"]


def test_it_says_what_was_unknown_and_why_it_no_longer_is(people: People, filled: UUID) -> None:
    with people.as_("dev"):
        (row,) = people.all(FILLS, filled)
    assert (row["old_status"], row["new_status"], row["cost"]) == ("unpriced_model", "priced", Decimal("0.5"))
    assert (row["reason"], row["filled_by"]) == ("a price arrived", None)


def test_a_call_whose_cost_was_known_at_once_has_none(people: People) -> None:
    call = people.call("ada")["id"]
    with people.as_("ada"):
        assert people.all(FILLS, call) == []


def test_eve_sees_none_and_nobody_may_not_ask(people: People, filled: UUID) -> None:
    with people.as_("eve"):
        assert people.all(FILLS, filled) == []
    with people.as_("nobody"):
        people.refused("42501", FILLS, filled)
    assert executors(people.conn, "call_fills") == {"authenticated"}
