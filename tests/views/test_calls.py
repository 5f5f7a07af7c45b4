"""calls: every call with the names of its project and key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from checks import strangers_read_nothing
from ledgers import DAY, add_call, add_open_call, adjust, sums
from people import People

VIEW = "select * from public.calls"


def test_every_call_is_one_row_with_the_names_of_its_project_and_key(ledger: People) -> None:
    with ledger.as_("dev"):
        rows = ledger.all(VIEW)
    assert len(rows) == sums(ledger)["calls"]
    assert sum(row["cost"] or 0 for row in rows) == sums(ledger)["cost"]
    assert {row["project"] for row in rows} == {"chat", "search"}
    assert {(row["key"], row["key_prefix"]) for row in rows} == {("main", ledger.keys["ada"].prefix)}


def test_a_row_says_of_its_call_exactly_what_the_ledger_says(people: People) -> None:
    ledger_row = people.call("ada")
    with people.as_("ada"):
        row = people.one(VIEW)
    shared = set(row) & set(ledger_row)
    assert {k: row[k] for k in shared} == {k: ledger_row[k] for k in shared}
    assert set(ledger_row) - shared == {"deadline_at"}
    assert set(row) - shared == {
        "project", "key", "key_prefix", "adjustments", "cost_corrected", "provider_key_last4", "provider_key_since",
        "cost_at_least"
    }  # fmt: skip


def test_a_corrected_call_keeps_its_cost_and_has_the_corrected_one_beside_it(people: People) -> None:
    call = add_call(people, "ada", cost=2)
    add_call(people, "ada", cost=None, cost_status="no_usage")
    for delta in (1, Decimal("-0.000000000001")):
        adjust(people, call, delta, DAY)
    with people.as_("ada"):
        rows = people.all(VIEW + " order by cost")
    assert [(row["cost"], row["adjustments"], row["cost_corrected"]) for row in rows] == [
        (2, Decimal("0.999999999999"), Decimal("2.999999999999")),
        (None, 0, None),
    ]


def test_a_cost_that_is_not_known_may_have_a_bound_which_is_in_no_sum(people: People) -> None:
    lines = '[{"cost": null, "at_least": 0.25}, {"cost": null, "at_least": null}, {"cost": null, "at_least": 2}]'
    for cost, status, kept in ((None, "no_usage", lines), (None, "no_usage", None), (5, "priced", lines)):
        add_call(people, "ada", cost=cost, cost_status=status, cost_lines=kept)
    add_call(people, "ada", cost=None, cost_status="no_usage", cost_lines='[{"cost": null, "at_least": 0}]')
    with people.as_("ada"):
        rows = people.all(VIEW + " order by cost_at_least nulls last")
    assert [row["cost_at_least"] for row in rows] == [Decimal("2.25"), None, None, None]
    assert sum(row["cost"] or 0 for row in rows) == 5 == sums(people)["cost"]


def test_an_open_call_is_in_doubt_after_its_deadline(people: People) -> None:
    now = datetime.now(UTC)
    for offset in (timedelta(hours=1), timedelta(hours=-1)):
        add_open_call(people, "ada", deadline_at=now + offset)
    with people.as_("ada"):
        rows = people.all(VIEW + " order by state")
    assert [(row["state"], row["cost"], row["cost_status"]) for row in rows] == [
        ("in_doubt", None, None),
        ("open", None, None),
    ]


def test_eve_sees_her_own_calls_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert [row["org_id"] for row in ledger.all(VIEW)] == [ledger.orgs["eve"]] * 2
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
