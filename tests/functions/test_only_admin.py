"""app.only_admin: whether somebody is the only admin of the caller's organization."""

from __future__ import annotations

from checks import executors
from people import People

ASK = "select app.only_admin(%s) as only"


def asked(people: People, caller: str, about: str) -> bool:
    with people.as_(caller):
        return people.one(ASK, people.ids[about])["only"]


def test_it_is_true_of_the_only_admin_until_there_is_another(people: People) -> None:
    assert asked(people, "ada", "ada") and asked(people, "dev", "ada") and not asked(people, "ada", "dev")
    with people.as_("ada"):
        people.one("select app.member_set_role(%s, 'admin')", people.ids["dev"])
    assert (asked(people, "ada", "ada"), asked(people, "ada", "dev")) == (False, False)


def test_of_another_organization_nothing_is_told(people: People) -> None:
    assert asked(people, "eve", "ada") is False


def test_only_people_may_ask(people: People) -> None:
    assert executors(people.conn, "only_admin") == {"authenticated"}
