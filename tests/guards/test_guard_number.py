"""private.guard_number: rows are numbered within each organization, so that a number tells nothing of the others."""

from __future__ import annotations

from openai_books import DAY, fetch
from people import People


def test_each_organization_counts_its_own_fetches(people: People) -> None:
    made = [fetch(people, {DAY: []}, who) for who in ("ada", "eve", "ada", "ada", "eve")]
    numbers = {row["id"]: row["n"] for row in people.all("select id, n from public.openai_fetches")}
    assert [numbers[one] for one in made] == [1, 1, 2, 3, 2]


def test_a_number_that_a_statement_gives_does_not_count(people: People) -> None:
    insert = (
        "insert into public.openai_fetches (org_id, n, source, from_day, until_day) values (%s, 99, 'csv', %s, %s + 1)"
    )
    people.conn.execute(insert, [people.orgs["ada"], DAY, DAY])
    assert people.all("select n from public.openai_fetches") == [{"n": 1}]
