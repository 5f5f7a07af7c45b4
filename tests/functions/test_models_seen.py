"""app.models_seen: models called in a period."""

from __future__ import annotations

from checks import executors
from people import People
from spending import days_ago, spent

SEEN = "select model from app.models_seen(%s, %s)"


def seen(people: People, who: str) -> list[str]:
    with people.as_(who):
        return [row["model"] for row in people.all(SEEN, days_ago(7), days_ago(-1))]


def test_each_model_of_the_period_is_named_once(people: People) -> None:
    for model, days in (("gpt-4o", 1), ("gpt-4o", 2), ("gpt-3.5", 3), ("gpt-5", 9)):
        spent(people, at=days_ago(days), model=model)
    spent(people, model=None, model_requested="asked-for", outcome="error", usage=None, status_code=404)
    spent(people, model=None, model_requested=None, method="GET", usage=None)
    assert seen(people, "dev") == ["asked-for", "gpt-3.5", "gpt-4o"]


def test_a_model_of_which_no_call_is_left_since_the_one_that_served_became_known_is_not_named(people: People) -> None:
    made = {"account": "a", "upstream_object_id": "r1"}
    spent(people, at=days_ago(2), model=None, model_requested="asked-for", outcome="pending", usage=None,
          endpoint="/v1/responses", **made)  # fmt: skip
    assert seen(people, "ada") == ["asked-for"]
    look = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}")
    people.settle_calls(people.settle_message("ada", look, model="gpt-4o-mini", **made))
    assert seen(people, "ada") == ["gpt-4o-mini"]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert seen(people, "eve") == []
    with people.as_("nobody"):
        people.refused("42501", SEEN, days_ago(7), days_ago(0))
    assert executors(people.conn, "models_seen") == {"authenticated"}
