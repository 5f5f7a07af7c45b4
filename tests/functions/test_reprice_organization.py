"""app.reprice_organization: the model filter; everything else is tested through app.reprice."""

from __future__ import annotations

from checks import executors
from people import People
from pricing import add_price
from spending import days_ago, spent

USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}


def test_only_calls_that_the_models_price_are_priced_again(people: People) -> None:
    spent(people, model="gpt-4o-mini-2024-07-18", usage=USAGE)
    spent(people, model="gpt-4o", usage=USAGE)
    spent(people, model="gpt-99", usage=USAGE)
    spent(people, "eve", model="gpt-4o-mini", usage=USAGE)
    for model in ("gpt-4o-mini", "gpt-4o", "gpt-99"):
        add_price(people.conn, model, "input_text", "9", valid_from=days_ago(9))
    query = "select calls, filled_calls, adjusted_calls from app.reprice_organization(%s, %s, %s, %s, 'a test', true)"
    period = people.orgs["ada"], days_ago(8), days_ago(-1)
    for models, result in ((["gpt-4o-mini"], (1, 0, 1)), (["gpt-99", "gpt-4o"], (2, 1, 1)), (["o3"], (0, 0, 0)),
                           (None, (3, 1, 2))):  # fmt: skip
        assert tuple(people.one(query, *period, models).values()) == result, models


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "reprice_organization") == set()
