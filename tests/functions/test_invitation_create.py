"""app.invitation_create."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
from people import People

CREATE = "select * from app.invitation_create(%s, %s, %s)"
TOKEN = b"t" * 32


def test_an_admin_invites_for_seven_days(people: People) -> None:
    with people.as_("ada"):
        made = people.one(CREATE, " New@Acme.Test ", "developer", TOKEN)
    assert (made["email"], made["role"]) == ("new@acme.test", "developer")
    assert made["expires_at"] - made["created_at"] == timedelta(days=7)
    row = people.one("select * from public.invitations where id = %s", made["id"])
    assert (row["org_id"], row["token_hash"], row["created_by"]) == (people.orgs["ada"], TOKEN, people.ids["ada"])
    line = ("invitation.created", made["id"], {"email": "new@acme.test", "role": "developer"})
    assert audit_lines(people, "ada")[-1] == line


def test_a_new_link_ends_the_open_one_for_that_address_only(people: People) -> None:
    with people.as_("ada"):
        first = people.one(CREATE, "new@acme.test", "developer", TOKEN)["id"]
        other = people.one(CREATE, "other@acme.test", "developer", b"o" * 32)["id"]
        people.one(CREATE, "NEW@acme.test", "admin", b"u" * 32)
    revoked = people.all("select id from public.invitations where revoked_at is not null")
    assert [row["id"] for row in revoked] == [first] != [other]


def test_it_does_not_tell_who_belongs_elsewhere(people: People) -> None:
    with people.as_("ada"):
        assert people.one(CREATE, "eve@evil.test", "developer", TOKEN)["email"] == "eve@evil.test"


def test_another_organizations_open_invitation_is_left_alone(people: People) -> None:
    with people.as_("eve"):
        theirs = people.one(CREATE, "new@acme.test", "developer", b"e" * 32)["id"]
    with people.as_("ada"):
        people.one(CREATE, "new@acme.test", "developer", TOKEN)
    assert people.one("select revoked_at from public.invitations where id = %s", theirs)["revoked_at"] is None


def test_a_member_is_not_invited_again(people: People) -> None:
    assert refuses(people, "ada", "409 already_member", CREATE, "DEV@acme.test", "admin", TOKEN).column_name == "email"


@pytest.mark.parametrize("role", [None, "", "owner", "Admin"])
def test_only_the_two_roles_can_be_given(people: People, role: str | None) -> None:
    assert refuses(people, "ada", "400 role_invalid", CREATE, "new@acme.test", role, TOKEN).column_name == "role"


@pytest.mark.parametrize(("email", "code"), [(None, "email_required"), (" ", "email_required"),
    ("nobody", "email_invalid"),
    ("a@b", "email_invalid"), ("a b@c.test", "email_invalid"), ("a" * 65 + "@c.test", "email_invalid")])  # fmt: skip
def test_what_is_no_address_is_refused(people: People, email: str | None, code: str) -> None:
    assert refuses(people, "ada", f"400 {code}", CREATE, email, "developer", TOKEN).column_name == "email"


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", CREATE, "new@acme.test", "admin", TOKEN)
    strangers_are_refused(people, CREATE, "new@acme.test", "admin", TOKEN)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "invitation_create") == {"authenticated"}


def test_two_admins_who_invite_one_address_at_once_leave_one_open_link(own_dsn: str) -> None:
    def run(user: UUID, email: str) -> None:
        with person(own_dsn, user) as conn:
            conn.execute(CREATE, [email, "developer", user.bytes + email.encode().rjust(16)])

    _, admins = two_admins(own_dsn)
    for n in range(10):
        assert side_by_side(*[partial(run, who, f"n{n}@acme.test") for who in admins]) == [None, None]
    with psycopg.connect(own_dsn) as conn:
        query = "select count(*), count(*) filter (where revoked_at is null) from public.invitations"
        assert conn.execute(query).fetchone() == (20, 10)
