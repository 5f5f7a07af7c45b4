"""spend_daily: spend per day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from checks import strangers_read_nothing
from ledgers import DAY, add_call, added, sums
from people import People

VIEW = "select * from public.spend_daily"


@pytest.mark.parametrize("who", ["ada", "dev"])
def test_days_add_up_to_the_ledger_to_the_last_digit(ledger: People, who: str) -> None:
    with ledger.as_(who):
        rows = ledger.all(VIEW)
    assert added(rows) == sums(ledger)
    assert {row["day"] for row in rows} == {DAY.date(), DAY.date() + timedelta(days=1)}
    for row in rows:
        day = {k: row[k] for k in added(rows)}
        assert day == sums(ledger, "(started_at at time zone 'utc')::date = %s", row["day"])


def test_every_kind_of_unknown_cost_is_counted_and_none_is_zero_money(ledger: People) -> None:
    with ledger.as_("ada"):
        row = ledger.one(VIEW + " where day = %s", DAY.date())
    counts = ("calls", "unpriced_calls", "no_usage_calls", "in_doubt_calls", "error_calls")
    assert [row[k] for k in counts] == [13, 2, 2, 1, 3]


def test_eve_sees_her_own_days_and_strangers_none(ledger: People) -> None:
    with ledger.as_("eve"):
        assert [(row["org_id"], row["cost"]) for row in ledger.all(VIEW)] == [(ledger.orgs["eve"], 1000)] * 2
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
    add_call(ledger, "ada", upstream="openai", cost=2)
    with ledger.as_("ada"):
        (row,) = ledger.all(VIEW)
    assert (row["calls"], row["cost"]) == (1, 2)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_a_day_ends_at_midnight_utc_whatever_the_sessions_time_zone(people: People, zone: str) -> None:
    midnight = datetime(DAY.year, DAY.month, 15, tzinfo=UTC)
    add_call(people, "ada", midnight - timedelta(milliseconds=1))
    add_call(people, "ada", midnight)
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    with people.as_("ada"):
        days = [row["day"] for row in people.all(VIEW + " order by day")]
    assert days == [date(DAY.year, DAY.month, 14), date(DAY.year, DAY.month, 15)]
