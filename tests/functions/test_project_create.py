"""app.project_create."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import psycopg
import pytest
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
from people import People

CREATE = "select * from app.project_create(%s)"


def test_an_admin_makes_a_project_that_her_colleagues_see_and_eve_does_not(people: People) -> None:
    with people.as_("ada"):
        made = people.one(CREATE, "  search ")
    assert (made["name"], made["archived_at"]) == ("search", None)
    assert audit_lines(people, "ada")[-1] == ("project.created", made["id"], {"name": "search"})
    row = people.one("select * from public.projects where id = %s", made["id"])
    assert (row["org_id"], row["created_by"]) == (people.orgs["ada"], people.ids["ada"])
    for who, count in (("dev", 1), ("eve", 0)):
        with people.as_(who):
            assert len(people.all("select from public.projects where id = %s", made["id"])) == count


@pytest.mark.parametrize("name", ["chat", "CHAT", " Chat ", "\xa0chat\u200b"])
def test_a_name_is_taken_whatever_its_case_and_the_space_around(people: People, name: str) -> None:
    before = audit_lines(people, "ada")
    assert refuses(people, "ada", "409 project_name_taken", CREATE, name).column_name == "name"
    assert audit_lines(people, "ada") == before


def test_the_name_of_another_organizations_or_an_archived_project_is_free(people: People) -> None:
    with people.as_("eve"):
        people.one(CREATE, "secret plan")
    with people.as_("ada"):
        people.one(CREATE, "secret plan")
        people.one("select * from app.project_update(%s, null, true, null)", people.projects["ada"])
        assert people.one(CREATE, "chat")["name"] == "chat"


def test_a_bad_name_is_refused(people: People) -> None:
    assert refuses(people, "ada", "400 name_required", CREATE, None).column_name == "name"
    refuses(people, "ada", "400 name_too_long", CREATE, "x" * 201)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", CREATE, "mine")
    strangers_are_refused(people, CREATE, "mine")


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "project_create") == {"authenticated"}


def test_two_admins_who_choose_one_name_at_once_make_one_project(own_dsn: str) -> None:
    def run(user: UUID, name: str) -> UUID:
        with person(own_dsn, user) as conn:
            return conn.execute(CREATE, [name]).fetchone()[0]

    _, admins = two_admins(own_dsn)
    for n in range(10):
        answers = side_by_side(*[partial(run, who, f"chat {n}") for who in admins])
        (refused,) = [answer for answer in answers if not isinstance(answer, UUID)]
        assert (refused.sqlstate, refused.diag.message_detail) == ("PT409", "project_name_taken")
