"""app.key_link_candidates."""

from __future__ import annotations

from datetime import UTC, datetime

from checks import executors
from ledgers import add_call
from openai_keys import keys_of_openai, provider_key
from people import People


def candidates(people: People, who: str = "ada") -> list[tuple[str, bool]]:
    with people.as_(who):
        rows = people.all("select * from app.key_link_candidates()")
    return [(row["openai_key_id"], row["fits"]) for row in rows]


def test_those_of_the_visible_ending_and_first_those_of_the_project_that_answered(people: People) -> None:
    version = provider_key(people, "xyzA", ended=False)
    keys_of_openai(people, key_a="xyzA", key_three="yzA", key_other="bcdE", key_none="")
    keys_of_openai(people, project="proj_b", key_b="xyzA")
    assert candidates(people) == [("key_a", True), ("key_b", True), ("key_three", True)]
    add_call(people, "ada", datetime.now(UTC), provider_key_id=version, openai_project="proj_b")
    assert candidates(people) == [("key_b", True), ("key_a", False), ("key_three", False)]
    with people.as_("ada"):
        people.one("select app.key_link_set(%s, 'key_b')", version)
    assert candidates(people) == []


def test_eve_sees_nothing_of_acme_and_only_people_may_run_it(people: People) -> None:
    provider_key(people)
    keys_of_openai(people, key_a="xyzA")
    assert candidates(people, "eve") == [] and len(candidates(people, "dev")) == 1
    assert executors(people.conn, "key_link_candidates") == {"authenticated"}
