"""app.evidence_list: calls of unknown use that OpenAI's minutes prove."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, worked_day
from people import People

ASK = "select call_id, reason, cost from app.evidence_list(%s, %s)"


def test_members_see_those_of_their_organization_and_period(people: People) -> None:
    doubt = worked_day(people)["doubt"]
    for who, until, rows in (("dev", 1, [(doubt, "in_doubt", D("0.0123"))]), ("dev", 0, []), ("eve", 1, [])):
        with people.as_(who):
            found = people.all(ASK, DAY, DAY + timedelta(days=until))
        assert [tuple(row.values()) for row in found] == rows


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "evidence_list") == {"authenticated"}
