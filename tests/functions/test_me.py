"""app.me: the signed-in person."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_each_sees_herself(people: People) -> None:
    for who, email, role, organization in (
        ("ada", "ada@acme.test", "admin", "Acme"),
        ("dev", "dev@acme.test", "developer", "Acme"),
        ("eve", "eve@evil.test", "admin", "Evil"),
    ):  # fmt: skip
        with people.as_(who):
            assert people.all("select * from app.me()") == [{
                "user_id": people.ids[who], "email": email, "role": role, "org_id": people.orgs[who],
                "organization": organization, "books": "sandbox", "is_demo": False,
                "time_zone": "UTC",
            }]  # fmt: skip


def test_somebody_without_organization_is_no_row(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all("select * from app.me()") == []


def test_nobody_may_not_ask(people: People) -> None:
    with people.as_("nobody"):
        people.refused("42501", "select * from app.me()")


def test_only_people_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "me") == {"authenticated"}
