"""openai_daily: the lines of OpenAI's bill that count."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from openai_books import DAY, each_reads_the_own, fetch, row_in_each
from people import People

TOMORROW = DAY + timedelta(days=1)


def test_only_the_newest_fetch_of_a_day_counts(people: People) -> None:
    fetch(people, {DAY: [("key_a", "o3, input", 1, "tokens", 1), ("key_a", "o3, output", 1, "tokens", 2)]})
    fetch(people, {DAY: [("key_a", "o3, input", None, None, "0.000000000000000000000000000001")], TOMORROW: []})
    fetch(people, {TOMORROW: [("key_a", "o3, input", 5, "tokens", 9)]})
    with people.as_("dev"):
        rows = people.all(
            "select day, line_item, quantity, amount, whole, source from public.openai_daily order by day"
        )
    assert [tuple(row.values()) for row in rows] == [
        (DAY, "o3, input", None, D("1e-30"), True, "api"), (TOMORROW, "o3, input", 5, 9, True, "api")]  # fmt: skip


def test_names_come_from_openais_lists(people: People) -> None:
    row_in_each(people, "ada", "mark")
    with people.as_("ada"):
        row = people.one("select openai_project, openai_key, openai_key_ending from public.openai_daily")
    assert set(row.values()) == {"mark"}


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "openai_daily")
