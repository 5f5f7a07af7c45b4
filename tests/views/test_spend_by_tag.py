"""spend_by_tag: spend per day and tag."""

from __future__ import annotations

from checks import strangers_read_nothing
from ledgers import add_call
from people import People

VIEW = "select * from public.spend_by_tag"


def test_a_call_counts_in_each_of_its_tags_and_one_without_in_none(people: People) -> None:
    add_call(people, "ada", cost=1, tags={"team": "search", "env": "prod"})
    add_call(people, "ada", cost=2, tags={"team": "search"})
    add_call(people, "ada", cost=4)
    add_call(people, "eve", cost=8, tags={"team": "search"})
    with people.as_("dev"):
        rows = {row["tag"]: (row["calls"], row["cost"], row["tokens_in"]) for row in people.all(VIEW)}
    assert rows == {"team=search": (2, 3, 2000), "env=prod": (1, 1, 1000)}


def test_eve_sees_her_own_and_strangers_none(people: People) -> None:
    add_call(people, "ada", tags={"team": "search"})
    with people.as_("eve"):
        assert people.all(VIEW) == []
    strangers_read_nothing(people, VIEW)
