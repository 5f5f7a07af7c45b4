"""app.member_overview: who belongs to the organization, and how many keys they made."""

from __future__ import annotations

from checks import executors
from people import People
from spending import another_key

OVERVIEW = "select * from app.member_overview()"


def test_everyone_in_the_organization_sees_its_members_in_the_order_in_which_they_joined(people: People) -> None:
    for who, emails in (("ada", ["ada@acme.test", "dev@acme.test"]), ("dev", ["ada@acme.test", "dev@acme.test"]),
                        ("eve", ["eve@evil.test"])):  # fmt: skip
        people.conn.execute("update public.members set joined_at = now() + interval '1 s' where role = 'developer'")
        with people.as_(who):
            assert [row["email"] for row in people.all(OVERVIEW)] == emails


def test_revoked_keys_do_not_count(people: People) -> None:
    _, key = another_key(people, "search")
    with people.as_("ada"):
        assert {row["email"]: row["keys"] for row in people.all(OVERVIEW)} == {"ada@acme.test": 2, "dev@acme.test": 0}
        people.conn.execute("select app.key_revoke(%s)", [key])
        assert people.all(OVERVIEW)[0]["keys"] == 1


def test_somebody_without_organization_sees_nobody_and_only_people_may_ask(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all(OVERVIEW) == []
    with people.as_("nobody"):
        people.refused("42501", OVERVIEW)
    assert executors(people.conn, "member_overview") == {"authenticated"}
