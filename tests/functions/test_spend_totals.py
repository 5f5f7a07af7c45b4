"""app.spend_totals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from checks import executors
from people import People
from spending import CELLS, PRICE, days_ago, spent

TOTALS = f"select * from app.spend_totals({CELLS}, true)"
WEEK = (days_ago(7), days_ago(0))


def totals(people: People, who: str = "ada") -> dict[str, Any]:
    with people.as_(who):
        return people.one(TOTALS, days_ago(7), days_ago(-1 / 24), "project", "{}")


def test_a_period_without_calls_is_zero_and_has_nothing_to_compare(people: People) -> None:
    row = totals(people)
    assert (row["calls"], row["cost"], row["tokens"]) == (0, 0, 0)
    assert row["cost_change"] is row["cost_per_1000"] is row["error_share"] is row["cached_share"] is None


def test_sums_are_exact_and_compared_with_the_period_before(people: People) -> None:
    for at in (days_ago(1), days_ago(2), days_ago(3)):
        spent(people, at=at)
    spent(people, at=days_ago(9))
    spent(people, at=days_ago(30))
    row = totals(people)
    assert (row["calls"], row["cost"]) == (3, 3 * Decimal(PRICE))
    assert (row["cost_change"], row["calls_change"], row["tokens_change"]) == (2, 2, 2)
    assert row["cost_per_1000"] == 1000 * Decimal(PRICE) and row["cost_per_1000_change"] == 0


def test_errors_cached_input_and_what_has_no_cost_are_counted(people: People) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 25}}
    spent(people, usage=usage)
    spent(people, model="nobody-knows-it", usage={"prompt_tokens": 100, "completion_tokens": 5})
    spent(people, outcome="no_usage", usage=None, status_code=504)
    spent(people, outcome="error", usage=None, status_code=500)
    row = totals(people)
    assert (row["unpriced_calls"], row["no_usage_calls"], row["error_calls"]) == (1, 1, 2)
    assert (row["error_share"], row["cached_share"]) == (Decimal("0.5"), Decimal("0.125"))


def test_calls_of_unknown_cost_are_not_among_the_thousand_that_cost_is_said_for(people: People) -> None:
    spent(people)
    spent(people, model="nobody-knows-it", at=days_ago(1))
    spent(people, outcome="no_usage", usage=None, status_code=504)
    spent(people, outcome="error", usage=None, status_code=500)  # known to be free
    row = totals(people)
    assert (row["calls"], row["cost_per_1000"]) == (4, 1000 * Decimal(PRICE) / 2)


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert totals(people, "eve")["calls"] == 0
    assert totals(people, "dev")["calls"] == 1
    with people.as_("nobody"):
        people.refused("42501", TOTALS, *WEEK, "project", "{}")


def test_a_call_with_several_tags_is_one_call(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    with people.as_("ada"):
        assert people.one(TOTALS, days_ago(7), days_ago(-1), "tag", "{}")["calls"] == 1


def test_only_signed_in_people_may_ask(people: People) -> None:
    assert executors(people.conn, "spend_totals") == {"authenticated"}
