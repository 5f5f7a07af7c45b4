"""ledger_entries: one row per call, one per correction."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from checks import strangers_read_nothing
from ledgers import DAY, add_call, adjust, sums
from people import People

VIEW = "select * from public.ledger_entries"


def test_every_call_and_every_correction_is_one_row_with_what_is_known_of_the_call(ledger: People) -> None:
    call = add_call(ledger, "ada", cost=2, model="gpt-5-2025-08-07", end_user="u1", tags={"team": "a"})
    for days in (1, 2):
        adjust(ledger, call, Decimal("0.25"), DAY + timedelta(days=days))
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert len([row for row in rows if row["entry"] == "call"]) == sums(ledger)["calls"]
    assert sum(row["cost"] or 0 for row in rows) == sums(ledger)["cost"] + Decimal("0.5")
    found = [row for row in rows if row["entry"] == "adjustment"]
    assert [row["at"] for row in sorted(found, key=lambda row: row["at"])] == [
        DAY + timedelta(days=1),
        DAY + timedelta(days=2),
    ]
    for row in found:
        assert (row["call_id"], row["call_started_at"], row["org_id"]) == (call, DAY, ledger.orgs["ada"])
        assert (row["model"], row["end_user"], row["tags"]) == ("gpt-5-2025-08-07", "u1", {"team": "a"})
        assert (row["cost"], row["tokens_in"], row["tokens_out"]) == (Decimal("0.25"), None, None)


def test_eve_sees_her_own_entries_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert {row["org_id"] for row in ledger.all(VIEW)} == {ledger.orgs["eve"]}
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
