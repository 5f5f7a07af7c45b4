"""app.invitation_revoke."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

REVOKE = "select app.invitation_revoke(%s)"
TOKEN = b"t" * 32


@pytest.fixture
def invitation(people: People) -> UUID:
    with people.as_("ada"):
        return people.one("select * from app.invitation_create('new@acme.test', 'admin', %s)", TOKEN)["id"]


def test_the_link_stops_working(people: People, invitation: UUID) -> None:
    with people.as_("ada"):
        people.one(REVOKE, invitation)
    assert audit_lines(people, "ada")[-1] == ("invitation.revoked", invitation, {"email": "new@acme.test"})
    people.sign_up("new", "new@acme.test")
    refuses(people, "new", "404 invitation_invalid", "select app.invitation_accept(%s)", TOKEN)


def test_a_revoked_used_or_unknown_invitation_is_not_found(people: People, invitation: UUID) -> None:
    with people.as_("ada"):
        people.one(REVOKE, invitation)
    accepted = people.one("select id from public.invitations where accepted_at is not null")["id"]
    for which in (invitation, accepted, uuid4(), None):
        refuses(people, "ada", "404 invitation_not_found", REVOKE, which)


def test_eve_does_not_find_acmes_invitation(people: People, invitation: UUID) -> None:
    refuses(people, "eve", "404 invitation_not_found", REVOKE, invitation)
    assert people.one("select revoked_at from public.invitations where id = %s", invitation)["revoked_at"] is None


def test_a_developer_and_strangers_may_not(people: People, invitation: UUID) -> None:
    refuses(people, "dev", "403 admin_required", REVOKE, invitation)
    strangers_are_refused(people, REVOKE, invitation)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "invitation_revoke") == {"authenticated"}
