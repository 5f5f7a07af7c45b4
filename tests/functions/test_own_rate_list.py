"""app.own_rate_list: models that OpenAI bills at another rate (what it finds: test_own_rate_take)."""

from __future__ import annotations

from datetime import timedelta

from checks import executors
from openai_books import DAY, compare, worked_day
from people import People

LIST = "select model, ratio::text as ratio, days from app.own_rate_list(%s, %s)"


def test_everybody_sees_the_own_organizations_alone(people: People) -> None:
    worked_day(people)
    compare(people)
    with people.as_("dev"):
        assert people.all(LIST, DAY, DAY + timedelta(days=1)) == [{"model": "gpt-4.1", "ratio": "0.900000", "days": 1}]
    with people.as_("eve"):
        assert people.all(LIST, DAY, DAY + timedelta(days=1)) == []
    assert executors(people.conn, "own_rate_list") == {"authenticated"}
