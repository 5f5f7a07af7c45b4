"""app.invitation_accept: joining an organization by a link."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from checks import audit_lines, executors, person, refuses, side_by_side
from people import HASH, People

ACCEPT = "select * from app.invitation_accept(%s)"
ENSURE = "select * from app.ensure_organization(null, 'none', false)"
TOKEN = b"t" * 32


@pytest.fixture
def invited(people: People) -> People:
    """new@acme.test has an account and an open invitation to administer Acme."""
    people.sign_up("new", "new@acme.test")
    with people.as_("ada"):
        people.one("select * from app.invitation_create('new@acme.test', 'admin', %s)", TOKEN)
    return people


def test_the_invited_person_joins_with_the_role_of_the_invitation(invited: People) -> None:
    with invited.as_("new"):
        joined = invited.one(ACCEPT, TOKEN)
        assert joined == {"org_id": invited.orgs["ada"], "name": "Acme", "role": "admin"}
        assert invited.one("select * from app.me()")["role"] == "admin"
    used = invited.one("select accepted_by, accepted_at from public.invitations where token_hash = %s", TOKEN)
    assert used["accepted_by"] == invited.ids["new"] and used["accepted_at"]
    line = ("member.joined", invited.ids["new"], {"email": "new@acme.test", "role": "admin"})
    assert audit_lines(invited, "new") == [line]


def test_a_link_works_once(invited: People) -> None:
    with invited.as_("new"):
        invited.one(ACCEPT, TOKEN)
    refuses(invited, "new", "404 invitation_invalid", ACCEPT, TOKEN)


def test_token_and_address_must_both_fit_and_every_failure_reads_the_same(invited: People) -> None:
    invited.sign_up("lone", "lone@nowhere.test")
    with invited.as_("nobody"):
        invited.refused("42501", ACCEPT, TOKEN)
    texts = set()
    for who, token in (("lone", TOKEN), ("eve", TOKEN), ("dev", TOKEN), ("new", b"x" * 32), ("new", None)):
        diag = refuses(invited, who, "404 invitation_invalid", ACCEPT, token)
        texts.add((diag.message_primary, diag.message_hint))
    assert len(texts) == 1 and next(iter(texts))[1]


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_link_is_dead(invited: People, column: str) -> None:
    invited.conn.execute(f"update public.invitations set {column} = now()")
    refuses(invited, "new", "404 invitation_invalid", ACCEPT, TOKEN)


@pytest.mark.parametrize(
    ("column", "value"), [("email_confirmed_at", None), ("deleted_at", "now"), ("is_anonymous", True)]
)
def test_an_unconfirmed_deleted_or_anonymous_account_cannot_join(invited: People, column: str, value: object) -> None:
    invited.conn.execute("reset role")
    invited.conn.execute(f"update auth.users set {column} = %s where email = 'new@acme.test'", [value])
    invited.conn.execute("set role postgres")
    refuses(invited, "new", "404 invitation_invalid", ACCEPT, TOKEN)


def test_who_signed_up_first_moves_out_of_the_unused_organization_which_vanishes(invited: People) -> None:
    with invited.as_("new"):
        own = invited.one(ENSURE)["org_id"]
        assert invited.one(ACCEPT, TOKEN)["org_id"] == invited.orgs["ada"]
    assert invited.one("select from public.organizations where id = %s", own) is None


def test_an_organization_in_use_is_not_left_by_a_link(invited: People) -> None:
    with invited.as_("new"):
        invited.one(ENSURE)
        invited.one("select * from app.project_create('mine')")
    assert refuses(invited, "new", "409 other_organization", ACCEPT, TOKEN).message_hint
    assert invited.one("select accepted_at from public.invitations where token_hash = %s", TOKEN)["accepted_at"] is None


def test_a_member_cannot_change_role_by_an_old_link(invited: People) -> None:
    with invited.as_("new"):
        invited.one(ACCEPT, TOKEN)
    invited.conn.execute("update public.invitations set accepted_at = null where token_hash = %s", [TOKEN])
    refuses(invited, "new", "409 already_member", ACCEPT, TOKEN)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "invitation_accept") == {"authenticated"}


def test_accepting_while_the_first_sign_in_makes_an_organization_always_ends_in_the_inviters(own_dsn: str) -> None:
    def run(user: UUID, query: str, *args: object) -> tuple[object, ...]:
        with person(own_dsn, user) as conn:
            return conn.execute(query, args).fetchone()

    with psycopg.connect(own_dsn, autocommit=True) as conn:
        ada = conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH]).fetchone()[0]
        acme = run(ada, ENSURE)[0]
        for n in range(20):
            email, token = f"new{n}@acme.test", uuid4().bytes * 2
            (user,) = conn.execute("select local_auth.create_user(%s, %s)", [email, HASH]).fetchone()
            run(ada, "select id from app.invitation_create(%s, 'developer', %s)", email, token)
            accepted, ensured = side_by_side(partial(run, user, ACCEPT, token), partial(run, user, ENSURE))
            assert accepted[0] == acme and isinstance(ensured, tuple)
            row = conn.execute("select org_id, role from public.members where user_id = %s", [user]).fetchone()
            assert row == (acme, "developer")
        assert conn.execute("select id from public.organizations").fetchall() == [(acme,)]
