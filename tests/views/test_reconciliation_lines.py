"""reconciliation_lines: the named parts of each day."""

from __future__ import annotations

from decimal import Decimal as D

from openai_books import DAY, compare, each_reads_the_own, row_in_each, worked_day
from people import People


def test_the_parts_of_a_day_add_up_to_both_sides_and_the_difference(people: People) -> None:
    worked_day(people)
    compare(people)
    with people.as_("dev"):
        rows = people.all("select * from public.reconciliation_lines where day = %s order by n", DAY)
    sums = [sum(row[column] or 0 for row in rows) for column in ("amount", "openai", "ledger")]
    assert sums == [D("0.1138556"), D("2.4213"), D("2.3074444")]
    assert [abs(row["amount"]) for row in rows] == sorted((abs(row["amount"]) for row in rows), reverse=True)
    assert {row["reason"] for row in rows if not row["explained"]} == {"no_quantity", "quantity_unexplained"}


def test_names_come_from_openais_lists(people: People) -> None:
    row_in_each(people, "ada", "mark")
    with people.as_("ada"):
        row = people.one("select openai_project, openai_key from public.reconciliation_lines")
    assert set(row.values()) == {"mark"}


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "reconciliation_lines")
