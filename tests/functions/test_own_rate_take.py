"""app.own_rate_take: the rate that OpenAI bills becomes the organization's own price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import call, compare, fetch, linked_key, moment, named
from people import People

TAKE = "select app.own_rate_take(%s, %s, %s) as n"


def test_a_rate_seen_in_openais_books_is_the_price_from_then_on(people: People) -> None:
    today = datetime.now(UTC).date()
    day, after = today - timedelta(days=3), today - timedelta(days=2)
    key = linked_key(people)
    usage = {"input_tokens": 1_000_000, "output_tokens": 100_000}
    for at in (day, after):
        call(people, key, moment("09:00:00", at), "gpt-4o-mini", usage)
    lines = [("key_proxy", "gpt-4o-mini, input", 1_000_000, "tokens", "0.135"),
             ("key_proxy", "gpt-4o-mini, output", 100_000, "tokens", "0.054")]  # fmt: skip
    fetch(people, {day: lines, after: lines})
    assert {reason for _, reason in named(compare(people, day))} == {"own_rate"}
    with people.as_("ada"):
        offered = people.all("select * from app.own_rate_list(%s, %s)", day, today)
        assert [(row["model"], row["ratio"], row["amount"]) for row in offered] == [
            ("gpt-4o-mini", D("0.9"), D("-0.021"))
        ]
        assert people.refused("PT409", TAKE, "gpt-4o-mini", D("0.8"), today).diag.message_detail == "own_rate_not_seen"
        assert people.one(TAKE, "gpt-4o-mini", D("0.9"), today)["n"] == 2
    new = people.one(
        "select cost from app.price_usage(%s, '/v1/responses', 'gpt-4o-mini', null, null, false, %s, null, now())",
        people.orgs["ada"], '{"input_tokens": 1000000, "output_tokens": 100000}',
    )  # fmt: skip
    assert new["cost"] == D("0.189")


def test_only_admins_take_it(people: People) -> None:
    with people.as_("dev"):
        people.refused("PT403", TAKE, "gpt-4o-mini", D("0.9"), "2026-10-14")
    assert executors(people.conn, "own_rate_take") == {"authenticated"}
