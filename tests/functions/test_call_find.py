"""app.call_find: one call of any organization, for the operator."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from checks import executors
from ledgers import DAY, adjust
from people import ROLES, People
from spending import PRICE, days_ago, spent

FIND = "select * from app.call_find(%s)"


@pytest.mark.parametrize(("who", "organization"), [("ada", "Acme"), ("eve", "Evil")])
def test_the_operator_finds_a_call_of_every_organization_however_old(
    people: People, who: str, organization: str
) -> None:
    for days in (0, 50):
        call = spent(people, who, days_ago(days))
        row = people.one(FIND, call)
        assert (row["id"], row["organization"], row["cost"]) == (call, organization, Decimal(PRICE))
        assert row["cost_corrected"] == row["cost"]
        lines = people.all("select l.* from app.call_find(%s) c, app.price_lines(c.cost_lines) l", call)
        assert sum(line["cost"] for line in lines) == row["cost"]


def test_sandbox_calls_are_found_after_real_money_began(people: People) -> None:
    call = spent(people)
    people.conn.execute("update public.organizations set books = 'openai'")
    assert people.one(FIND, call)["upstream"] == "sandbox"


def test_its_corrections_are_part_of_the_corrected_cost_and_an_unknown_cost_stays_unknown(people: People) -> None:
    known, unknown = spent(people), spent(people, outcome="no_usage", usage=None)
    for call in (known, unknown):
        adjust(people, call, Decimal("0.5"), DAY)
        adjust(people, call, Decimal("0.25"), DAY)
    assert people.one(FIND, known)["cost_corrected"] == Decimal(PRICE) + Decimal("0.75")
    assert people.one(FIND, unknown)["cost_corrected"] is None


def test_an_unknown_id_is_no_row_and_only_the_owner_may_ask(people: People) -> None:
    assert people.all(FIND, uuid4()) == []
    assert executors(people.conn, "call_find") & set(ROLES) == set()
