"""app.member_remove."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import psycopg
from checks import audit_lines, executors, person, refuses, side_by_side, two_admins
from people import People

REMOVE = "select app.member_remove(%s)"


def test_an_admin_removes_a_member_whose_next_statement_sees_nothing(people: People) -> None:
    with people.as_("ada"):
        people.one(REMOVE, people.ids["dev"])
    assert audit_lines(people, "ada")[-1] == ("member.removed", people.ids["dev"], {"email": "dev@acme.test"})
    with people.as_("dev"):
        assert people.all("select * from public.projects") == []
        assert people.one("select app.current_org_id() as id")["id"] is None


def test_a_developer_leaves_by_herself(people: People) -> None:
    with people.as_("dev"):
        people.one(REMOVE, people.ids["dev"])
    assert audit_lines(people, "dev")[-1] == ("member.left", people.ids["dev"], {"email": "dev@acme.test"})
    assert people.one("select from public.members where user_id = %s", people.ids["dev"]) is None


def test_the_last_admin_cannot_leave(people: People) -> None:
    assert refuses(people, "ada", "409 last_admin", REMOVE, people.ids["ada"]).message_hint
    with people.as_("ada"):
        people.one("select app.member_set_role(%s, 'admin')", people.ids["dev"])
        people.one(REMOVE, people.ids["ada"])
    with people.as_("dev"):
        assert people.one("select count(*) as n from public.members")["n"] == 1


def test_keys_of_somebody_who_left_keep_working(people: People) -> None:
    with people.as_("ada"):
        people.one("select app.member_set_role(%s, 'admin')", people.ids["dev"])
        people.one(REMOVE, people.ids["ada"])
    assert people.open_calls(people.open_message("ada"))[0]["outcome"] == "opened"


def test_eve_does_not_find_acmes_members(people: People) -> None:
    for who in (people.ids["dev"], people.ids["ada"], uuid4(), None):
        refuses(people, "eve", "404 member_not_found", REMOVE, who)
    assert people.one("select count(*) as n from public.members")["n"] == 3


def test_a_developer_removes_nobody_else(people: People) -> None:
    refuses(people, "dev", "403 admin_required", REMOVE, people.ids["ada"])


def test_who_belongs_to_nothing_has_nothing_to_leave(people: People) -> None:
    lone = people.sign_up("lone", "lone@nowhere.test")
    refuses(people, "lone", "404 member_not_found", REMOVE, lone)
    refuses(people, "lone", "403 admin_required", REMOVE, people.ids["dev"])
    with people.as_role("authenticated"):
        assert people.refused("PT401", REMOVE, people.ids["dev"]).diag.message_detail == "not_signed_in"


def test_only_people_may_run_it(db: psycopg.Connection, people: People) -> None:
    assert executors(db, "member_remove") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", REMOVE, people.ids["dev"])


def test_two_admins_who_leave_at_once_leave_one_admin(own_dsn: str) -> None:
    def leave(me: UUID) -> None:
        with person(own_dsn, me) as conn:
            conn.execute(REMOVE, [me])

    for _ in range(10):
        org, admins = two_admins(own_dsn)
        answers = side_by_side(*[partial(leave, me) for me in admins])
        (refused,) = [answer for answer in answers if answer is not None]
        assert refused.sqlstate == "PT409"
        with psycopg.connect(own_dsn) as conn:
            assert conn.execute("select count(*) from public.members where org_id = %s", [org]).fetchone() == (1,)
