"""public.openai_fetches: who copied OpenAI's books when; the organization's own, which nobody writes."""

from __future__ import annotations

import pytest
from checks import only_people_read
from openai_books import each_reads_the_own, row_in_each
from people import People


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "openai_fetches")


def test_nobody_but_people_and_analysts_reads_and_nobody_writes(people: People) -> None:
    only_people_read(people, "openai_fetches", analysts=True)


@pytest.mark.parametrize("statement", [
    "update public.openai_fetches set error = null", "delete from public.openai_fetches",
    "truncate public.openai_fetches cascade",
])  # fmt: skip
def test_not_even_the_owner_changes_a_row(people: People, statement: str) -> None:
    row_in_each(people, "ada", "acme")
    people.conn.execute("set constraints all immediate")
    assert people.refused("PT405", statement).diag.message_detail == "append_only"
