"""app.books_months."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from checks import executors
from openai_books import DAY, compare, fetch, linked_key, worked_day
from people import People

MONTHS = "select * from app.books_months(%s)"
CLOSED = """insert into public.month_closes (org_id, month, status, openai, ledger, unexplained, named, report,
    fetch_ids, sha256, note) values (%s, '2026-10-01', %s, 1, 1, 0, '{}', '{}', '{}', 'x', 'n')"""


def months(people: People, who: str = "ada", count: int = 5) -> list[dict]:
    with people.as_(who):
        return people.all(MONTHS, count)


def test_a_month_is_the_sum_of_its_days_and_says_what_went_past_us(people: People) -> None:
    worked_day(people)
    compare(people)
    compare(people, DAY + timedelta(days=1))
    (month,) = months(people, "dev")
    assert (month["month"], month["status"], month["days"]) == (date(2026, 10, 1), "open", 2)
    assert (month["openai"], month["ledger"]) == (D("2.4231"), D("2.3074444"))
    assert month["difference"] == D("0.1156556") == month["explained"] + month["unexplained"]
    assert month["dark"] == D("0.1515") and month["share"] == round(1 - D("0.1515") / D("2.4231"), 6)


@pytest.mark.parametrize(("through", "past"), [(3, -1), (1, -5), (-1, 5), (-1, -1), (2, -2)])
def test_a_credit_leaves_no_share(people: People, through: int, past: int) -> None:
    linked_key(people)
    lines = [("key_proxy", "gpt-4o, input", 1, "tokens", through), (None, "credit", None, None, past)]
    fetch(people, {DAY: lines})
    compare(people)
    (month,) = months(people)
    with people.as_("ada"):
        day = people.one("select * from app.books_share(%s, %s)", DAY, DAY + timedelta(days=1))
    assert (month["openai"], month["dark"], month["share"]) == (through + past, past, None)
    assert (day["through"], day["surface"], day["share"]) == (through, past, None)


def test_a_day_is_restated_when_a_later_fetch_names_another_amount_and_not_when_it_is_fetched_again(
    people: People,
) -> None:
    linked_key(people)
    for amounts in ((1, 2, 3), (1, 2, 4)):
        fetch(people, {DAY + timedelta(days=n): [(None, "x", None, None, each)] for n, each in enumerate(amounts)})
    people.conn.execute("alter table public.openai_days disable trigger user")
    people.conn.execute("update public.openai_days set whole = false, amount = 7 where day = %s and n = 1", [DAY])
    people.conn.execute("alter table public.openai_days enable trigger user")
    for n in range(3):
        compare(people, DAY + timedelta(days=n))
    assert [(month["days"], month["restated_days"]) for month in months(people)] == [(3, 1)]


def test_a_whole_month_is_provisional_then_closed_then_reopened(people: People) -> None:
    linked_key(people)
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(31)]
    fetch(people, {day: [] for day in days})
    for day in days:
        compare(people, day)
    assert [(month["status"], month["share"]) for month in months(people)] == [("provisional", None)]
    people.conn.execute(CLOSED, [people.orgs["ada"], "closed"])
    (month,) = months(people)
    assert month["status"] == "closed" and month["closed_at"] is not None
    people.conn.execute(CLOSED, [people.orgs["ada"], "reopened"])
    assert [(month["status"], month["closed_at"]) for month in months(people)] == [("provisional", None)]


def test_eve_sees_none_and_the_newest_come_first(people: People) -> None:
    linked_key(people)
    for day in (date(2026, 8, 3), date(2026, 9, 3), date(2026, 10, 3)):
        fetch(people, {day: []})
        compare(people, day)
    assert [month["month"].month for month in months(people, count=2)] == [10, 9]
    assert months(people, "eve") == []
    assert executors(people.conn, "books_months") == {"authenticated"}
