"""app.provider_key_list: stored keys are write-only."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

LIST = "select * from app.provider_key_list()"


def test_the_organization_sees_the_last_four_characters_and_eve_nothing(people: People) -> None:
    with people.as_("ada"):
        for which in (people.projects["ada"], None):
            query = "select * from app.provider_key_set(%s, 'cipher', 'wxyz', 'https://a.test/v1', 'f', false)"
            people.one(query, which)
    for who in ("ada", "dev"):
        with people.as_(who):
            rows = people.all(LIST)
        assert [row["project_id"] for row in rows] == [None, people.projects["ada"]]
        assert {(row["last4"], row["base_url"]) for row in rows} == {("wxyz", "https://a.test/v1")}
        assert set(rows[0]) == {"project_id", "last4", "base_url", "updated_at"}
    with people.as_("eve"):
        assert people.all(LIST) == []
    with people.as_("nobody"):
        people.refused("42501", LIST)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "provider_key_list") == {"authenticated"}
