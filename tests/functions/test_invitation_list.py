"""app.invitation_list: invitations with their state."""

from __future__ import annotations

from uuid import uuid4

import pytest
from checks import executors
from people import People

LIST = "select * from app.invitation_list()"
INVITE = "select id from app.invitation_create(%s, 'developer', %s)"


def test_an_admin_sees_them_the_newest_first(people: People) -> None:
    with people.as_("ada"):
        people.one(INVITE, "new@acme.test", uuid4().bytes * 2)
    people.conn.execute(
        "update public.invitations set created_at = now() + interval '1 s' where email = 'new@acme.test'"
    )
    with people.as_("ada"):
        found = people.all(LIST)
    assert [(row["email"], row["state"]) for row in found] == [("new@acme.test", "open"), ("dev@acme.test", "accepted")]
    assert "token_hash" not in found[0]


@pytest.mark.parametrize(("change", "state"), [
    ("revoked_at = now()", "revoked"), ("expires_at = now()", "expired"), ("role = role", "open"),
    ("revoked_at = now(), expires_at = now()", "revoked"),
])  # fmt: skip
def test_each_says_what_became_of_it(people: People, change: str, state: str) -> None:
    with people.as_("ada"):
        made = people.one(INVITE, "new@acme.test", uuid4().bytes * 2)["id"]
    people.conn.execute(f"update public.invitations set {change} where id = %s", [made])
    with people.as_("ada"):
        assert {row["id"]: row["state"] for row in people.all(LIST)}[made] == state


def test_developers_and_strangers_see_none(people: People) -> None:
    for who in ("dev", "eve"):
        with people.as_(who):
            assert people.all(LIST) == []
    with people.as_("nobody"):
        people.refused("42501", LIST)
    assert executors(people.conn, "invitation_list") == {"authenticated"}
