"""app.own_rate_offer: prices that OpenAI's books show the organization really pays."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, call, compare, fetch, linked_key, moment, named, own_price, worked_day
from people import People

ASK = "select model, dimension, unit_price, unit_qty, paid, ratio, days, amount from app.own_rate_offer(%s, %s)"
PERIOD = (DAY, DAY + timedelta(days=1))


def test_a_fixed_share_of_a_price_is_offered_to_the_organization_alone(people: People) -> None:
    worked_day(people)
    compare(people)
    offer = ("gpt-4.1", "output_text", 8, 1000000, D("7.2"), D("0.9"), 1, D("-0.04"))
    for who, rows in {"dev": [offer], "eve": []}.items():
        with people.as_(who):
            assert [tuple(row.values()) for row in people.all(ASK, *PERIOD)] == rows
    with people.as_("dev"):
        assert people.all(ASK, DAY - timedelta(days=1), DAY) == []


def test_a_price_that_stood_in_for_another_tier_is_not_offered(people: People) -> None:
    key = linked_key(people)
    own_price(people, "gpt-99", "output_text", "10")
    call(people, key, moment("09:00:00"), "gpt-99", {"input_tokens": 0, "output_tokens": 1000000}, service_tier="flex")
    fetch(people, {DAY: [("key_proxy", "flex | gpt-99, output", 1000000, "tokens", 9)]})
    assert named(compare(people)) == {("flex | gpt-99, output", "own_rate"): -1}
    with people.as_("ada"):
        assert people.all(ASK, *PERIOD) == []


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "own_rate_offer") == {"authenticated"}
