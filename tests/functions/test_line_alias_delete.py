"""app.line_alias_delete."""

from __future__ import annotations

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

DELETE = "select app.line_alias_delete(%s)"


def made(people: People) -> int:
    with people.as_("ada"):
        return people.one("select app.line_alias_set('small talk', 'gpt-4o, input') as id")["id"]


def test_an_admin_deletes_one_of_the_organization(people: People) -> None:
    alias = made(people)
    with people.as_("ada"):
        people.one(DELETE, alias)
    told = ("line_alias.deleted", None, {"line_item": "small talk", "means": "gpt-4o, input"})
    assert audit_lines(people, "ada")[-1] == told
    refuses(people, "ada", "404 line_alias_not_found", DELETE, alias)


def test_shipped_ones_and_those_of_others_stay(people: People) -> None:
    shipped = people.one("select id from public.line_aliases where line_item = 'whisper'")["id"]
    refuses(people, "ada", "404 line_alias_not_found", DELETE, shipped)
    alias = made(people)
    refuses(people, "eve", "404 line_alias_not_found", DELETE, alias)
    refuses(people, "dev", "403 admin_required", DELETE, alias)
    strangers_are_refused(people, DELETE, alias)
    assert people.all("select from public.line_aliases where id in (%s, %s)", shipped, alias) == [{}, {}]


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "line_alias_delete") == {"authenticated"}
