"""app.key_list: keys with their state and last use."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from checks import executors
from people import People

LIST = "select * from app.key_list(%s)"


def test_everyone_in_the_organization_sees_its_keys_and_no_others(people: People) -> None:
    for who, owner in (("ada", "ada"), ("dev", "ada"), ("eve", "eve")):
        with people.as_(who):
            (key,) = people.all(LIST, None)
        assert (key["id"], key["prefix"], key["project"]) == (people.keys[owner].id, people.keys[owner].prefix, "chat")
        assert (key["state"], key["last_used_at"]) == ("active", None)
        assert not {"key_hash", "org_id"} & set(key)
    with people.as_("ada"):
        assert people.all(LIST, None)[0]["created_by"] == "ada@acme.test"


def test_one_projects_keys_and_nothing_for_a_foreign_or_unknown_project(people: People) -> None:
    with people.as_("ada"):
        other = people.one("select * from app.project_create('search')")["id"]
        assert len(people.all(LIST, people.projects["ada"])) == 1
        assert people.all(LIST, other) == people.all(LIST, people.projects["eve"]) == people.all(LIST, uuid4()) == []


@pytest.mark.parametrize(("table", "change", "state"), [("api_keys", "revoked_at = now()", "revoked"),
    ("api_keys", "expires_at = now()", "expired"), ("projects", "archived_at = now()", "archived"),
    ("api_keys", "expires_at = now() + interval '1 h'", "active")])  # fmt: skip
def test_a_key_says_why_it_does_not_work(people: People, table: str, change: str, state: str) -> None:
    people.conn.execute(f"update public.{table} set {change}")
    with people.as_("ada"):
        assert people.one(LIST, None)["state"] == state


def test_last_used_is_the_newest_call_open_or_settled(people: People) -> None:
    people.call("ada")
    people.call("eve")
    opened = people.open_message("ada")
    people.open_calls(opened)
    newest = people.one("select started_at from public.usage_logs where id = %s", opened["id"])["started_at"]
    with people.as_("dev"):
        assert people.one(LIST, None)["last_used_at"] == newest


def test_somebody_without_organization_sees_none_and_nobody_may_not_ask(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all(LIST, None) == []
    with people.as_("nobody"):
        people.refused("42501", LIST, None)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_list") == {"authenticated"}
