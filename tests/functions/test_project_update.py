"""app.project_update: rename, archive, restore."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import psycopg
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
from people import People

UPDATE = "select * from app.project_update(%s, %s, %s, null)"


def test_an_admin_renames_a_project(people: People) -> None:
    project = people.projects["ada"]
    with people.as_("ada"):
        assert people.one(UPDATE, project, " bot ", None)["name"] == "bot"
    assert audit_lines(people, "ada")[-1] == ("project.renamed", project, {"from": "chat", "to": "bot"})


def test_archiving_refuses_the_keys_and_restoring_lets_them_in_again(people: People) -> None:
    project = people.projects["ada"]
    for archived, outcome, action in ((True, "archived_project", "archived"), (False, "opened", "restored")):
        with people.as_("ada"):
            assert (people.one(UPDATE, project, None, archived)["archived_at"] is not None) == archived
        assert people.open_calls(people.open_message("ada"))[0]["outcome"] == outcome
        assert audit_lines(people, "ada")[-1] == (f"project.{action}", project, {"name": "chat"})


def test_nothing_to_change_is_no_line_and_archiving_twice_keeps_the_first_moment(people: People) -> None:
    project = people.projects["ada"]
    people.conn.execute("update public.projects set archived_at = '2026-01-01Z' where id = %s", [project])
    before = audit_lines(people, "ada")
    with people.as_("ada"):
        for name, archived in ((None, None), ("chat", None), (None, True)):
            assert people.one(UPDATE, project, name, archived)["archived_at"].isoformat()[:10] == "2026-01-01"
    assert audit_lines(people, "ada") == before


def test_a_name_in_use_is_refused_also_when_restoring(people: People) -> None:
    with people.as_("ada"):
        other = people.one("select * from app.project_create('search')")["id"]
    assert refuses(people, "ada", "409 project_name_taken", UPDATE, other, "Chat", None).column_name == "name"
    with people.as_("ada"):
        people.one(UPDATE, other, "chat", True)
    refuses(people, "ada", "409 project_name_taken", UPDATE, other, None, False)


def test_eve_does_not_find_acmes_project(people: People) -> None:
    for which in (people.projects["ada"], uuid4(), None):
        refuses(people, "eve", "404 project_not_found", UPDATE, which, "mine", True)
    row = people.one("select name, archived_at from public.projects where id = %s", people.projects["ada"])
    assert row == {"name": "chat", "archived_at": None}


def test_a_bad_name_is_refused(people: People) -> None:
    assert refuses(people, "ada", "400 name_required", UPDATE, people.projects["ada"], " ", None).column_name == "name"


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", UPDATE, people.projects["ada"], "mine", None)
    strangers_are_refused(people, UPDATE, people.projects["ada"], "mine", None)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "project_update") == {"authenticated"}


def test_two_admins_who_give_one_name_at_once_rename_one_project(own_dsn: str) -> None:
    def run(user: UUID, query: str, *args: object) -> UUID:
        with person(own_dsn, user) as conn:
            return conn.execute(query, args).fetchone()[0]

    _, admins = two_admins(own_dsn)
    projects = [run(admins[0], "select id from app.project_create(%s)", name) for name in ("chat", "search")]
    for n in range(10):
        jobs = zip(admins, projects, strict=True)
        answers = side_by_side(*[partial(run, who, UPDATE, project, f"bot {n}", None) for who, project in jobs])
        (refused,) = [answer for answer in answers if not isinstance(answer, UUID)]
        assert (refused.sqlstate, refused.diag.message_detail) == ("PT409", "project_name_taken")


def test_an_admin_switches_tags_from_metadata_on_and_off(people: People) -> None:
    project = people.projects["ada"]
    switch = "select * from app.project_update(%s, null, null, %s)"
    for wanted, action in ((True, "on"), (False, "off")):
        with people.as_("ada"):
            assert people.one(UPDATE, project, None, None)["metadata_tags"] is not wanted
            assert people.one(switch, project, wanted)["metadata_tags"] is wanted
            assert people.one(UPDATE, project, "chat", None)["metadata_tags"] is wanted
        assert audit_lines(people, "ada")[-1] == (f"project.metadata_{action}", project, {"name": "chat"})
    refuses(people, "dev", "403 admin_required", switch, project, True)
    refuses(people, "eve", "404 project_not_found", switch, project, True)
