"""app.settle_seen: what several connections to a Realtime session report is booked by one call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import executors
from months import ago, take_out
from people import People

COST = Decimal("0.00045")  # 1000 × $0.15 + 500 × $0.60, per million tokens


def seen(people: People, who: str = "ada", *, side: bool = True, asked: bool = False, **changes: Any) -> dict[str, Any]:
    """A connection is told that a response has begun. asked: its own client's, opened before its id was known."""
    message = people.open_message(who, **people.now_id(), **changes)
    told = {"seen_as": "resp_1", "side": side}
    (opened,) = people.open_calls(message if asked else message | told)
    assert opened["outcome"] == "opened"
    return people.settle_message(who, message, **told)


def outcomes(people: People, *messages: dict[str, Any]) -> list[str]:
    return [row["outcome"] for row in people.settle_calls(*messages) if row["n"] >= 0]


def rows(people: People) -> list[tuple[str | None, Decimal | None]]:
    found = people.all("select cost_status, cost from public.usage_logs")
    return sorted(((row["cost_status"], row["cost"]) for row in found), key=lambda row: row[0] or "")


@pytest.mark.parametrize("together", [True, False])
def test_the_second_that_reports_a_response_gets_no_row(people: People, together: bool) -> None:
    one, other = seen(people), seen(people)
    if together:
        assert outcomes(people, other, one) == ["already", "settled"]
    else:
        assert outcomes(people, other) + outcomes(people, one) == ["already", "already"]
    assert rows(people) == [("priced", COST)]
    assert outcomes(people, other, one) == ["already"] * 2, "a message that comes again changes nothing"
    assert rows(people) == [("priced", COST)]


def test_two_connections_of_one_batch_open_one_row(people: People) -> None:
    told = {"seen_as": "resp_1", "side": True}
    messages = [people.open_message("ada", **people.now_id(), **told) for _ in range(2)]
    assert [row["outcome"] for row in people.open_calls(*messages)] == ["opened"] * 2
    assert len(rows(people)) == 1


@pytest.mark.parametrize("together", [True, False])
def test_the_usage_that_the_first_was_not_told_is_kept(people: People, together: bool) -> None:
    one, other = seen(people), seen(people)
    died = one | {"outcome": "no_usage", "usage": None, "status_code": 502}
    outcomes(people, died, other) if together else (outcomes(people, died), outcomes(people, other))
    assert rows(people) == [("priced", COST)]
    assert len(people.all("select from public.cost_fills")) == (0 if together else 1)


def test_a_connection_that_dies_says_nothing_of_what_another_books(people: People) -> None:
    one, other = seen(people), seen(people)
    outcomes(people, other | {"outcome": "no_usage", "usage": None})
    assert rows(people) == [(None, None)]
    outcomes(people, one)
    assert rows(people) == [("priced", COST)]


def test_a_response_that_the_client_asked_for_and_another_call_books_is_free(people: People) -> None:
    asker, other = seen(people, asked=True), seen(people)
    outcomes(people, asker)
    assert rows(people) == [("free", 0), ("priced", COST)]
    outcomes(people, other)
    with people.as_("ada"):
        assert people.one("select sum(cost) as cost, sum(tokens_in) as n from public.spend_daily") == {
            "cost": COST, "n": 1000}  # fmt: skip


def test_a_first_call_that_was_never_sent_is_replaced(people: People) -> None:
    one, other = seen(people), seen(people)
    never = {name: one[name] for name in ("id", "started_at", "max_seconds")}
    outcomes(people, never | {"outcome": "error", "status_code": 503})
    assert outcomes(people, other) == ["missing"]
    assert rows(people) == [("error", 0), ("priced", COST)]


def test_a_first_call_whose_row_a_failover_lost_is_replaced(people: People) -> None:
    people.conn.execute(
        "insert into private.seen_responses values (%s, 'resp_1', true, gen_random_uuid(), now())", [people.orgs["ada"]]
    )
    other = seen(people)
    assert rows(people) == []
    assert outcomes(people, other) == ["missing"]
    assert rows(people) == [("priced", COST)]


def test_a_first_call_that_was_closed_by_hand_is_corrected(people: People) -> None:
    one, other = seen(people), seen(people)
    people.one("select app.call_end(null, %s, 0.25, 'by hand')", one["id"])
    outcomes(people, other)
    assert [row["delta"] for row in people.all("select delta from public.cost_adjustments")] == [COST - Decimal("0.25")]


def test_main_connections_and_other_organizations_share_nothing(people: People) -> None:
    messages = [seen(people, side=False), seen(people, side=False), seen(people, "eve")]
    assert outcomes(people, *messages) == ["settled"] * 3
    assert rows(people) == [("priced", COST)] * 3


def test_a_month_that_is_dropped_takes_what_was_seen_in_it_along(people: People) -> None:
    outcomes(people, seen(people))
    take_out(people, 0)
    people.one("select app.retention_drop(%s, 'test', null)", ago(0).date())
    assert people.all("select from private.seen_responses") == []


def test_only_the_owner_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "settle_seen") == set()
