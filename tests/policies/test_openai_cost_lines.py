"""public.openai_cost_lines: lines of OpenAI's bill; the organization's own, which nobody writes."""

from __future__ import annotations

from checks import append_only, only_people_read
from openai_books import each_reads_the_own, row_in_each
from people import People


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "openai_cost_lines")


def test_nobody_but_people_and_analysts_reads_and_nobody_writes(people: People) -> None:
    only_people_read(people, "openai_cost_lines", "org_id", analysts=True)


def test_not_even_the_owner_changes_a_row(people: People) -> None:
    row_in_each(people, "ada", "acme")
    people.conn.execute("set constraints all immediate")
    append_only(people, "public.openai_cost_lines", "update public.openai_cost_lines set amount = 1")
