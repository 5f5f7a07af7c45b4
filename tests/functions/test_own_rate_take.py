"""app.own_rate_take: what OpenAI really billed becomes the organization's own price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import audit_lines, executors, refuses, strangers_are_refused
from openai_books import DAY, compare, worked_day
from people import People

TAKE = "select app.own_rate_take(%s, %s, %s) as prices"
ARGUMENTS = ("gpt-4.1", DAY, DAY + timedelta(days=1))


def test_one_confirmation_makes_it_the_own_price_once_and_is_audited(people: People) -> None:
    worked_day(people)
    compare(people)
    with people.as_("ada"):
        assert people.one(TAKE, *ARGUMENTS)["prices"] == 1
    price = people.one("select * from public.model_prices order by id desc limit 1")
    assert (price["model"], price["dimension"], price["unit_price"]) == ("gpt-4.1", "output_text", D("7.2"))
    assert price["org_id"] == people.orgs["ada"] and "OpenAI" in price["note"]
    assert audit_lines(people, "ada")[-1][0] == "price.added"
    refuses(people, "ada", "404 rate_not_found", TAKE, *ARGUMENTS)


def test_developers_other_organizations_and_strangers_cannot(people: People) -> None:
    worked_day(people)
    compare(people)
    refuses(people, "dev", "403 admin_required", TAKE, *ARGUMENTS)
    refuses(people, "eve", "404 rate_not_found", TAKE, *ARGUMENTS)
    strangers_are_refused(people, TAKE, *ARGUMENTS)
    assert executors(people.conn, "own_rate_take") == {"authenticated"}
