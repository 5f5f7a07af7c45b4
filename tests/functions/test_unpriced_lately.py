"""app.unpriced_lately: models without a price that were called in the last seven days."""

from __future__ import annotations

from datetime import UTC, datetime

from checks import executors
from people import People
from spending import days_ago, spent

USAGE = {"prompt_tokens": 1, "completion_tokens": 0}


def test_only_models_of_the_last_week_and_of_the_own_organization(people: People) -> None:
    spent(people, model="gpt-99", usage=USAGE, at=days_ago(6))
    spent(people, model="gpt-98", usage=USAGE, at=days_ago(8))
    spent(people, model="gpt-4o", usage=USAGE)
    spent(people, "eve", model="gpt-97", usage=USAGE)
    query = "select model, calls from app.unpriced_lately(%s)"
    with people.as_("ada"):
        assert [tuple(row.values()) for row in people.all(query, datetime.now(UTC))] == [("gpt-99", 1)]
    assert {row["model"] for row in people.all(query, datetime.now(UTC))} == {"gpt-99", "gpt-97"}


def test_people_may_ask(people: People) -> None:
    assert executors(people.conn, "unpriced_lately") == {"authenticated"}
