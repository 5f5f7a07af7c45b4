"""public.key_links: which key of OpenAI's is which of ours; the organization's own, which nobody writes."""

from __future__ import annotations

from checks import only_people_read
from openai_books import each_reads_the_own
from people import People


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "key_links")


def test_nobody_but_people_and_analysts_reads_and_nobody_writes(people: People) -> None:
    only_people_read(people, "key_links", analysts=True)
