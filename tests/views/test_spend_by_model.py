"""spend_by_model: spend per day and model."""

from __future__ import annotations

from checks import strangers_read_nothing
from ledgers import added, sums
from people import People

VIEW = "select * from public.spend_by_model"


def test_models_add_up_to_the_ledger_each_by_itself_and_all_together(ledger: People) -> None:
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert added(rows) == sums(ledger)
    for model in {row["model"] for row in rows}:
        own = added([row for row in rows if row["model"] == model])
        assert own == sums(ledger, "coalesce(model, model_requested) is not distinct from %s", model)


def test_the_model_is_the_one_that_served_else_the_one_asked_for_else_unknown(ledger: People) -> None:
    with ledger.as_("ada"):
        models = {row["model"] for row in ledger.all(VIEW)}
    assert models == {"gpt-4o-mini-2024-07-18", "gpt-5-2025-08-07", "gpt-99", "gpt-4o-mini", None}


def test_eve_sees_her_own_models_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert {row["model"] for row in ledger.all(VIEW)} == {"gpt-4o-mini-2024-07-18"}
        assert added(ledger.all(VIEW))["cost"] == 2000
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
