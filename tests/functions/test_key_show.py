"""app.key_show: one key with its project."""

from __future__ import annotations

from uuid import uuid4

from checks import executors
from people import People

SHOW = "select * from app.key_show(%s)"


def test_everyone_in_the_organization_finds_a_key_with_its_project(people: People) -> None:
    key = people.keys["ada"]
    for who in ("ada", "dev"):
        with people.as_(who):
            found = people.one(SHOW, key.id)
        assert (found["id"], found["name"], found["prefix"]) == (key.id, "main", key.prefix)
        assert (found["project_id"], found["project"]) == (people.projects["ada"], "chat")
        assert (found["created_by"], found["state"], found["note"]) == ("ada@acme.test", "active", None)


def test_a_foreign_and_an_unknown_key_are_no_row(people: People) -> None:
    with people.as_("eve"):
        assert people.all(SHOW, people.keys["ada"].id) == people.all(SHOW, uuid4()) == []
    with people.as_("nobody"):
        people.refused("42501", SHOW, people.keys["ada"].id)
    assert executors(people.conn, "key_show") == {"authenticated"}
