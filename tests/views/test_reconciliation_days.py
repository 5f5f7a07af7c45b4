"""reconciliation_days: OpenAI and the ledger by day."""

from __future__ import annotations

from decimal import Decimal as D

from openai_books import DAY, compare, each_reads_the_own, fetch, worked_day
from people import People


def test_a_day_says_what_is_explained_and_what_is_not(people: People) -> None:
    worked_day(people)
    compare(people)
    with people.as_("dev"):
        row = people.one("select * from public.reconciliation_days where day = %s", DAY)
    assert (row["openai"], row["ledger"], row["difference"]) == (D("2.4213"), D("2.3074444"), D("0.1138556"))
    assert (row["explained"], row["unexplained"]) == (D("0.0988556"), D("0.015"))
    assert (row["unexplained_gross"], row["restatements"], row["whole"]) == (D("0.015"), 0, True)


def test_older_fetches_of_the_day_are_restatements(people: People) -> None:
    for amount in (1, 2, 3):
        fetch(people, {DAY: [("key_a", "o3, input", 1, "tokens", amount)]})
    compare(people)
    with people.as_("dev"):
        row = people.one("select openai, restatements, unexplained_gross from public.reconciliation_days")
    assert tuple(row.values()) == (3, 2, 0)


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "reconciliation_days")
