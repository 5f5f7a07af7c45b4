"""spend_by_end_user: spend per day and end user."""

from __future__ import annotations

from checks import strangers_read_nothing
from ledgers import add_call, added, sums
from people import People

VIEW = "select * from public.spend_by_end_user"


def test_end_users_add_up_to_the_ledger_those_without_a_name_too(ledger: People) -> None:
    add_call(ledger, "ada", end_user="u1", cost=1)
    add_call(ledger, "ada", end_user="u1", cost=2)
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert added(rows) == sums(ledger)
    assert [(row["end_user"], row["calls"], row["cost"]) for row in rows if row["end_user"]] == [("u1", 2, 3)]


def test_eve_sees_her_own_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert added(ledger.all(VIEW))["cost"] == 2000
    strangers_read_nothing(ledger, VIEW)
