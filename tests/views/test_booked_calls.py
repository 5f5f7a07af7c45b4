"""booked_calls: every call as it counts in sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from checks import strangers_read_nothing
from ledgers import DAY, add_call, add_open_call, added, adjust, sums
from people import People

VIEW = "select * from public.booked_calls"


def rows(people: People, who: str = "dev") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(f"{VIEW} order by at")


def test_calls_add_up_to_the_ledger_without_their_corrections(ledger: People) -> None:
    adjust(ledger, add_call(ledger, "ada", cost=2), 5, DAY)
    found = rows(ledger)
    assert len(found) == sums(ledger)["calls"]
    assert added([{name: value or 0 for name, value in row.items()} for row in found]) == sums(ledger)
    assert {row["adjustments"] for row in found} == {None}
    assert all(row["cost_corrected"] == row["cost"] for row in found)


def test_a_call_counts_when_it_began_with_the_model_that_served_it_else_the_one_asked_for(people: People) -> None:
    add_call(people, "ada", model="gpt-5-2025-08-07", model_requested="gpt-5", end_user="u1", tags={"team": "web"})
    add_open_call(people, "ada", DAY + timedelta(days=1), model_requested="gpt-5")
    add_open_call(people, "ada", DAY + timedelta(days=2), deadline_at=datetime.now(UTC) - timedelta(hours=1))
    done, running, doubtful = rows(people)
    assert (done["at"], done["call_started_at"], done["model"]) == (DAY, DAY, "gpt-5-2025-08-07")
    assert (done["end_user"], done["tags"], done["calls"]) == ("u1", {"team": "web"}, 1)
    assert (running["model"], running["cost"], running["calls"], running["in_doubt_calls"]) == ("gpt-5", None, 1, 0)
    assert doubtful["in_doubt_calls"] == 1


def test_eve_sees_her_own_and_strangers_none(ledger: People) -> None:
    assert {row["org_id"] for row in rows(ledger, "eve")} == {ledger.orgs["eve"]}
    strangers_read_nothing(ledger, VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    real = add_call(ledger, "ada", upstream="openai")
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    assert [row["call_id"] for row in rows(ledger)] == [real]
