"""unpriced_models: what cannot be priced, so that somebody adds the price."""

from __future__ import annotations

import json
from datetime import timedelta

from ledgers import DAY, add_call
from people import People

VIEW = "select * from public.unpriced_models"


def test_each_model_without_a_price_is_one_row_with_its_calls_and_tokens(people: People) -> None:
    for n in range(3):
        add_call(people, "ada", DAY + timedelta(days=n), model="gpt-99", cost=None, cost_status="unpriced_model")
    add_call(
        people, "ada", model=None, model_requested="gpt-98", cost=None, cost_status="unpriced_model", tokens_in=None
    )
    add_call(people, "ada", model="gpt-99", cost=None, cost_status="unpriced_dimension")
    add_call(people, "ada")
    with people.as_("dev"):
        rows = people.all(VIEW + " order by model, cost_status desc")
    assert [(row["model"], row["cost_status"], row["calls"], row["tokens_in"], row["tokens_out"]) for row in rows] == [
        ("gpt-98", "unpriced_model", 1, 0, 500),
        ("gpt-99", "unpriced_model", 3, 3000, 1500),
        ("gpt-99", "unpriced_dimension", 1, 1000, 500),
    ]
    assert (rows[1]["first_call"], rows[1]["last_call"]) == (DAY, DAY + timedelta(days=2))


def test_what_had_no_price_is_named_once(people: People) -> None:
    def lines(*priced: tuple[str, int | None]) -> str:
        return json.dumps([{"dimension": name, "price_id": price, "quantity": 1} for name, price in priced])

    status = {"cost": None, "cost_status": "unpriced_dimension"}
    add_call(people, "ada", cost_lines=lines(("input_text", 1), ("cached_audio", None)), **status)
    for name in ("input_tokens_details.video_tokens", "cached_audio"):
        add_call(people, "ada", cost_lines=lines(("cached_audio", None), ("output_text", 3), (name, None)), **status)
    add_call(people, "ada", model="gpt-99", **status | {"cost_lines": None})
    with people.as_("ada"):
        rows = people.all(VIEW + " order by model")
    assert [(row["calls"], row["dimensions"]) for row in rows] == [
        (3, ["cached_audio", "input_tokens_details.video_tokens"]),
        (1, []),
    ]


def test_a_call_without_usage_or_with_an_error_is_no_missing_price(people: People) -> None:
    add_call(people, "ada", cost=None, cost_status="no_usage")
    add_call(people, "ada", cost=0, cost_status="error")
    with people.as_("ada"):
        assert people.all(VIEW) == []


def test_eve_sees_nothing_of_acmes_and_strangers_nothing_at_all(ledger: People) -> None:
    with ledger.as_("ada"):
        assert len(ledger.all(VIEW)) == 2
    with ledger.as_("eve"):
        assert ledger.all(VIEW) == []
    for role in ("anon", "service_role", "spendai_web", "spendai_proxy", "spendai_auth"):
        with ledger.as_role(role):
            ledger.refused("42501", VIEW)


def test_play_money_is_gone_once_the_books_are_real(ledger: People) -> None:
    ledger.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    with ledger.as_("ada"):
        assert ledger.all(VIEW) == []
