"""app.former_member: whether somebody has left an organization or was removed."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

ASK = "select app.former_member() as former"


def asked(people: People, name: str) -> bool:
    with people.as_(name):
        return people.one(ASK)["former"]


def test_who_was_removed_or_left_is_known(people: People) -> None:
    assert asked(people, "dev") is False
    with people.as_("ada"):
        people.one("select app.member_remove(%s)", people.ids["dev"])
    assert asked(people, "dev") is True
    assert asked(people, "ada") is False


def test_somebody_new_is_not(people: People) -> None:
    people.sign_up("new", "new@acme.test")
    assert asked(people, "new") is False


def test_only_people_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "former_member") == {"authenticated"}
