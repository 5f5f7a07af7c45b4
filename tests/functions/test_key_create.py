"""app.key_create."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

from webapp.secrets.proxy_keys import new_key

CREATE = "select * from app.key_create(%s, %s, %s, %s, %s, %s)"


def arguments(project: UUID | None, name: str | None = "ci", expires_at: datetime | None = None) -> tuple[object, ...]:
    key = new_key()
    return project, key.id, name, key.prefix, key.hash, expires_at


def test_an_admin_makes_a_key_that_opens_calls(people: People) -> None:
    project, key_id, _, prefix, key_hash, expiry = arguments(
        people.projects["ada"], "ci", datetime.now(UTC) + timedelta(days=90)
    )
    with people.as_("ada"):
        made = people.one(CREATE, project, key_id, " ci ", prefix, key_hash, expiry)
    assert (made["id"], made["project_id"], made["name"], made["prefix"]) == (key_id, project, "ci", prefix)
    assert made["expires_at"] == expiry
    assert audit_lines(people, "ada")[-1] == ("key.created", key_id, {"name": "ci", "prefix": prefix})
    (opened,) = people.open_calls(people.open_message("ada", key_hash=key_hash.hex()))
    assert (opened["outcome"], opened["api_key_id"], opened["project_id"]) == ("opened", key_id, project)


def test_neither_answer_nor_audit_line_has_the_hash(people: People) -> None:
    args = arguments(people.projects["ada"])
    with people.as_("ada"):
        assert args[4] not in people.one(CREATE, *args).values()
    assert args[4].hex() not in str(audit_lines(people, "ada"))


def test_eve_finds_no_project_of_acme_to_make_a_key_for(people: People) -> None:
    for which in (people.projects["ada"], uuid4(), None):
        refuses(people, "eve", "404 project_not_found", CREATE, *arguments(which))


def test_an_archived_project_takes_no_new_keys(people: People) -> None:
    people.conn.execute("update public.projects set archived_at = now()")
    assert refuses(people, "ada", "404 project_not_found", CREATE, *arguments(people.projects["ada"])).message_hint


def test_an_expiry_in_the_past_is_refused(people: People) -> None:
    args = arguments(people.projects["ada"], expires_at=datetime.now(UTC) - timedelta(hours=1))
    assert refuses(people, "ada", "400 expiry_in_past", CREATE, *args).column_name == "expires_at"


def test_a_bad_name_is_refused(people: People) -> None:
    assert (
        refuses(people, "ada", "400 name_required", CREATE, *arguments(people.projects["ada"], "")).column_name
        == "name"
    )


def test_a_hash_of_another_length_or_used_before_is_refused(people: People) -> None:
    project, key_id, name, prefix, _, expiry = arguments(people.projects["ada"])
    with people.as_("ada"):
        people.refused("23514", CREATE, project, key_id, name, prefix, b"short", expiry)
        people.refused("23505", CREATE, project, key_id, name, prefix, people.keys["eve"].hash, expiry)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", CREATE, *arguments(people.projects["ada"]))
    strangers_are_refused(people, CREATE, *arguments(people.projects["ada"]))


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_create") == {"authenticated"}
