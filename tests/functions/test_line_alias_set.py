"""app.line_alias_set."""

from __future__ import annotations

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from openai_books import DAY, call, compare, fetch, linked_key, moment, named
from people import People

SET = "select app.line_alias_set(%s, %s) as id"


def test_a_line_is_compared_under_the_name_that_an_admin_gives_it(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("09:00:00"), "gpt-4o-mini", {"input_tokens": 1000000, "output_tokens": 0})
    fetch(people, {DAY: [("key_proxy", "Small Talk", 1000000, "tokens", "0.15")]})
    assert {reason for _, reason in named(compare(people))} == {"unknown_line", "missing_at_openai"}
    with people.as_("ada"):
        first = people.one(SET, " Small Talk ", "GPT-4o-mini, input")["id"]
        assert people.one(SET, "small talk", "gpt-4o-mini, input")["id"] == first
        assert people.one("select app.reconcile(%s, %s) as n", DAY, DAY.replace(day=15))["n"] == 1
    assert compare(people) == []
    line = ("line_alias.set", None, {"line_item": "small talk", "means": "gpt-4o-mini, input"})
    assert audit_lines(people, "ada")[-2:] == [line, line]


def test_names_are_names(people: People) -> None:
    assert refuses(people, "ada", "400 name_required", SET, " ", "x").column_name == "line_item"
    assert refuses(people, "ada", "400 name_too_long", SET, "x", "y" * 201).column_name == "means"


def test_an_alias_is_of_one_organization_and_a_developer_and_strangers_may_not(people: People) -> None:
    with people.as_("eve"):
        people.one(SET, "whisper", "eve's line")
    with people.as_("ada"):
        rows = people.all("select means from public.line_aliases where line_item = 'whisper'")
    assert [row["means"] for row in rows] == ["whisper-1, audio_seconds"]
    refuses(people, "dev", "403 admin_required", SET, "a", "b")
    strangers_are_refused(people, SET, "a", "b")


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "line_alias_set") == {"authenticated"}
