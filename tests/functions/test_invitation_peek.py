"""app.invitation_peek: what the page behind a link shows."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

PEEK = "select * from app.invitation_peek(%s)"
TOKEN = b"t" * 32


@pytest.fixture
def invited(people: People) -> People:
    with people.as_("ada"):
        people.one("select * from app.invitation_create('new@acme.test', 'developer', %s)", TOKEN)
    return people


def peek(people: People, token: bytes) -> list[dict[str, object]]:
    with people.as_role("spendai_auth"):
        return people.all(PEEK, token)


def test_the_holder_of_the_link_sees_who_invites_whom_as_what(invited: People) -> None:
    (seen,) = peek(invited, TOKEN)
    assert (seen["organization"], seen["email"], seen["role"]) == ("Acme", "new@acme.test", "developer")


def test_a_wrong_token_shows_nothing(invited: People) -> None:
    assert peek(invited, b"x" * 32) == peek(invited, b"") == peek(invited, None) == []


@pytest.mark.parametrize("column", ["accepted_at", "revoked_at", "expires_at"])
def test_a_dead_link_shows_nothing(invited: People, column: str) -> None:
    invited.conn.execute(f"update public.invitations set {column} = now()")
    assert peek(invited, TOKEN) == []


def test_only_sign_in_may_look(db: psycopg.Connection) -> None:
    assert executors(db, "invitation_peek") == {"spendai_auth"}
