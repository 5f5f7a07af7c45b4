"""public.line_aliases: own names of lines of OpenAI's bill and those for everybody, which nobody writes."""

from __future__ import annotations

from checks import only_people_read
from openai_books import each_reads_the_own
from people import People


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "line_aliases", everybodys=6)


def test_nobody_but_people_and_analysts_reads_and_nobody_writes(people: People) -> None:
    only_people_read(people, "line_aliases", "org_id", analysts=True)
