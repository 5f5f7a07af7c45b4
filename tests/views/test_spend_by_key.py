"""spend_by_key: spend per day and proxy key."""

from __future__ import annotations

from checks import strangers_read_nothing
from ledgers import add_call, added, sums
from people import People

from webapp.secrets.proxy_keys import new_key

VIEW = "select * from public.spend_by_key"


def test_keys_add_up_to_the_ledger_each_by_itself_and_all_together(ledger: People) -> None:
    second = new_key()
    with ledger.as_("ada"):
        ledger.one(
            "select * from app.key_create(%s, %s, 'second', %s, %s, null)",
            ledger.projects["ada"], second.id, second.prefix, second.hash,
        )  # fmt: skip
    add_call(ledger, "ada", api_key_id=second.id, cost=5)
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert added(rows) == sums(ledger)
    for key, name in ((ledger.keys["ada"], "main"), (second, "second")):
        own = [row for row in rows if row["api_key_id"] == key.id]
        assert added(own) == sums(ledger, "api_key_id = %s", key.id)
        assert {(row["key"], row["key_prefix"]) for row in own} == {(name, key.prefix)}


def test_a_revoked_key_keeps_its_numbers(ledger: People) -> None:
    with ledger.as_("ada"):
        before = ledger.all(VIEW)
        ledger.one("select app.key_revoke(%s)", ledger.keys["ada"].id)
        assert ledger.all(VIEW) == before


def test_no_hash_is_in_the_view(ledger: People) -> None:
    with ledger.as_("ada"):
        assert not {"key_hash", "ciphertext"} & set(ledger.one(VIEW))


def test_eve_sees_her_own_keys_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert {row["api_key_id"] for row in ledger.all(VIEW)} == {ledger.keys["eve"].id}
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
