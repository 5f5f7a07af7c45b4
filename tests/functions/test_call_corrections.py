"""app.call_corrections: what was corrected of one call."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from checks import executors
from ledgers import DAY, add_call, adjust
from people import People

CORRECTIONS = "select * from app.call_corrections(%s)"


def test_they_come_oldest_first_and_those_of_one_call_alone(people: People) -> None:
    call, other = add_call(people, "ada"), add_call(people, "ada")
    adjust(people, call, Decimal("0.5"), DAY + timedelta(days=2))
    adjust(people, call, Decimal("-0.25"), DAY + timedelta(days=1))
    adjust(people, other, 9, DAY)
    with people.as_("dev"):
        rows = people.all(CORRECTIONS, call)
    assert [row["delta"] for row in rows] == [Decimal("-0.25"), Decimal("0.5")]
    assert set(rows[0]) == {"id", "at", "delta", "reason", "details", "created_by"}
    assert (rows[0]["reason"], rows[0]["at"]) == ("a test", DAY + timedelta(days=1))


def test_eve_sees_none_and_nobody_may_not_ask(people: People) -> None:
    call = add_call(people, "ada")
    adjust(people, call, 1, DAY)
    with people.as_("eve"):
        assert people.all(CORRECTIONS, call) == []
    with people.as_("nobody"):
        people.refused("42501", CORRECTIONS, call)
    assert executors(people.conn, "call_corrections") == {"authenticated"}
