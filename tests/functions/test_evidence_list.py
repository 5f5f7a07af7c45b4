"""app.evidence_list: calls that OpenAI's minutes prove."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, worked_day
from people import People

LIST = "select * from app.evidence_list(%s, %s)"


def test_it_has_the_call_in_doubt_with_its_minute_and_its_cost(people: People) -> None:
    ids = worked_day(people)
    with people.as_("dev"):
        rows = people.all(LIST, DAY, DAY + timedelta(days=1))
        assert people.all(LIST, DAY + timedelta(days=1), DAY + timedelta(days=2)) == []
    assert [(row["call_id"], row["reason"], row["cost"]) for row in rows] == [(ids["doubt"], "in_doubt", D("0.0123"))]
    assert f"{rows[0]['minute']:%H:%M}" == "15:02"


def test_eve_sees_none(people: People) -> None:
    worked_day(people)
    with people.as_("eve"):
        assert people.all(LIST, DAY, DAY + timedelta(days=1)) == []
    assert executors(people.conn, "evidence_list") == {"authenticated"}
