"""app.member_set_role."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
from people import People

SET_ROLE = "select app.member_set_role(%s, %s)"


def role(people: People, who: str) -> str:
    return people.one("select role from public.members where user_id = %s", people.ids[who])["role"]


def test_an_admin_makes_a_developer_an_admin(people: People) -> None:
    with people.as_("ada"):
        people.one(SET_ROLE, people.ids["dev"], "admin")
    assert role(people, "dev") == "admin"
    details = {"from": "developer", "to": "admin", "email": "dev@acme.test"}
    assert audit_lines(people, "ada")[-1] == ("member.role_changed", people.ids["dev"], details)


def test_the_same_role_again_is_no_change_and_no_line(people: People) -> None:
    before = audit_lines(people, "ada")
    with people.as_("ada"):
        people.one(SET_ROLE, people.ids["dev"], "developer")
        people.one(SET_ROLE, people.ids["ada"], "admin")
    assert audit_lines(people, "ada") == before


def test_the_last_admin_stays_one_until_there_is_another(people: People) -> None:
    assert refuses(people, "ada", "409 last_admin", SET_ROLE, people.ids["ada"], "developer").message_hint
    with people.as_("ada"):
        people.one(SET_ROLE, people.ids["dev"], "admin")
        people.one(SET_ROLE, people.ids["ada"], "developer")
    assert (role(people, "ada"), role(people, "dev")) == ("developer", "admin")
    refuses(people, "ada", "403 admin_required", SET_ROLE, people.ids["ada"], "admin")


def test_eve_does_not_find_acmes_members(people: People) -> None:
    for who in (people.ids["dev"], people.ids["ada"], uuid4(), None):
        refuses(people, "eve", "404 member_not_found", SET_ROLE, who, "admin")


@pytest.mark.parametrize("new_role", [None, "", "owner", "ADMIN"])
def test_only_the_two_roles_can_be_given(people: People, new_role: str | None) -> None:
    assert refuses(people, "ada", "400 role_invalid", SET_ROLE, people.ids["dev"], new_role).column_name == "role"


def test_a_developer_cannot_make_herself_admin_and_strangers_may_nothing(people: People) -> None:
    refuses(people, "dev", "403 admin_required", SET_ROLE, people.ids["dev"], "admin")
    strangers_are_refused(people, SET_ROLE, people.ids["dev"], "admin")


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "member_set_role") == {"authenticated"}


def test_two_admins_who_demote_each_other_at_once_leave_one_admin(own_dsn: str) -> None:
    def demote(me: UUID, other: UUID) -> None:
        with person(own_dsn, me) as conn:
            conn.execute(SET_ROLE, [other, "developer"])

    for _ in range(10):
        org, (ada, bea) = two_admins(own_dsn)
        answers = side_by_side(partial(demote, ada, bea), partial(demote, bea, ada))
        (refused,) = [answer for answer in answers if answer is not None]
        assert refused.sqlstate == "PT403"
        with psycopg.connect(own_dsn) as conn:
            admins = conn.execute("select count(*) from public.members where org_id = %s and role = 'admin'", [org])
            assert admins.fetchone() == (1,)
