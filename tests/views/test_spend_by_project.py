"""spend_by_project: spend per day and project."""

from __future__ import annotations

from checks import strangers_read_nothing
from ledgers import added, sums
from people import People

VIEW = "select * from public.spend_by_project"


def test_projects_add_up_to_the_ledger_each_by_itself_and_all_together(ledger: People) -> None:
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert added(rows) == sums(ledger)
    for name in ("chat", "search"):
        (project,) = {row["project_id"] for row in rows if row["project"] == name}
        own = added([row for row in rows if row["project_id"] == project])
        assert own == sums(ledger, "project_id = %s", project) and own["calls"] > 0


def test_an_archived_or_renamed_project_keeps_its_numbers(ledger: People) -> None:
    with ledger.as_("ada"):
        before = added(ledger.all(VIEW))
        ledger.one("select * from app.project_update(%s, 'bot', true, null)", ledger.projects["ada"])
        after = ledger.all(VIEW)
    assert added(after) == before
    assert {row["project"] for row in after} == {"bot", "search"}


def test_eve_sees_her_own_projects_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert {row["project_id"] for row in ledger.all(VIEW)} == {ledger.projects["eve"]}
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
