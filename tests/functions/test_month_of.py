"""app.month_of: the state of a month, its sums, and what changed since it was closed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from checks import executors
from closes import DAYS, MONTH, NO_QUANTITY, close, fetched, month, state
from openai_books import fetch
from people import People


def test_a_month_is_open_until_every_day_is_whole_and_says_which_are_missing(people: People) -> None:
    assert state(people)["missing"] == DAYS
    fetched(people, count=30)
    assert (state(people)["state"], state(people)["missing"]) == ("open", [DAYS[30]])
    made = fetch(people, {DAYS[30]: []})
    assert (state(people)["state"], state(people)["missing"], state(people)["changing"]) == (
        "provisional",
        [],
        [DAYS[30]],
    )
    people.conn.execute("alter table public.openai_days disable trigger user")
    people.conn.execute("update public.openai_days set whole = false where fetch_id = %s", [made])
    assert (state(people)["state"], state(people)["missing"]) == ("open", [DAYS[30]])


def test_sums_and_reasons_are_of_the_whole_month(people: People) -> None:
    month(people, NO_QUANTITY)
    row = state(people)
    assert (row["openai"], row["ledger"], row["unexplained"]) == (D("0.155"), D("0.15"), D("0.005"))
    assert row["named"] == {"no_quantity": "0.005"}
    assert row["closes_on"] == date(2026, 11, 3)
    assert sum(map(D, row["named"].values())) == row["openai"] - row["ledger"]


def test_a_frozen_row_that_was_changed_by_force_is_not_intact(people: People) -> None:
    month(people)
    made = close(people)
    people.conn.execute("alter table public.month_closes disable trigger user")
    people.conn.execute("update public.month_closes set openai = openai + 1 where id = %s", [made])
    assert state(people)["intact"] is False


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "month_of") == set()
    assert people.one("select state from app.month_of(%s, %s)", people.orgs["ada"], MONTH)["state"] == "open"
