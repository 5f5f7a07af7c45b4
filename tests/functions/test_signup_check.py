"""app.signup_check: who may sign up, asked before there is an account."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from checks import executors
from people import People

CHECK = "select app.signup_check(%s, %s, %s, %s) as email"


@pytest.fixture
def token(people: People) -> bytes:
    """Hash of an open invitation of Ada's for new@acme.test."""
    found = uuid4().bytes * 2
    with people.as_("ada"):
        people.one("select app.invitation_create('new@acme.test', 'developer', %s)", found)
    return found


def test_anyone_may_sign_up_where_sign_up_is_open(people: People) -> None:
    assert people.one(CHECK, " New@Acme.TEST ", None, None, False)["email"] == "new@acme.test"
    assert people.one(CHECK, "new@acme.test", " ", None, False)["email"] == "new@acme.test"


def test_where_it_is_closed_only_who_holds_an_invitation(people: People, token: bytes) -> None:
    assert people.refused("PT403", CHECK, "new@acme.test", None, None, True).diag.message_detail == "signup_closed"
    assert people.one(CHECK, "NEW@acme.test", None, token, True)["email"] == "new@acme.test"


def test_the_first_person_of_an_install_needs_no_invitation(people: People) -> None:
    people.conn.execute("delete from private.install")
    assert people.one(CHECK, "new@acme.test", None, None, True)["email"] == "new@acme.test"


@pytest.mark.parametrize("closed", [True, False])
def test_an_invitation_must_be_open_and_for_this_address(people: People, token: bytes, closed: bool) -> None:
    refused = [people.refused("PT404", CHECK, "eve@acme.test", None, token, closed),
               people.refused("PT404", CHECK, "new@acme.test", None, b"x" * 32, closed)]  # fmt: skip
    people.conn.execute("update public.invitations set expires_at = now()")
    refused.append(people.refused("PT404", CHECK, "new@acme.test", None, token, closed))
    assert {(e.diag.message_detail, e.diag.message_primary, e.diag.message_hint) for e in refused} == {
        ("invitation_invalid", "this invitation is not valid",
         "It may have expired, been used, or been made for another e-mail address")}  # fmt: skip


def test_a_bad_address_or_name_is_said_now(people: People) -> None:
    assert people.refused("PT400", CHECK, "new", None, None, False).diag.column_name == "email"
    assert people.refused("PT400", CHECK, "new@acme.test", "x" * 201, None, False).diag.column_name == "organization"


def test_only_sign_in_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "signup_check") == {"spendai_auth"}
