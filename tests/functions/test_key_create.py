"""app.key_create."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import psycopg
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
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


def test_an_expiry_after_the_year_2999_is_refused(people: People) -> None:
    late = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with people.as_("ada"):
        assert people.one(CREATE, *arguments(people.projects["ada"], expires_at=late))["expires_at"] == late
    args = arguments(people.projects["ada"], expires_at=late + timedelta(seconds=1))
    assert refuses(people, "ada", "400 expiry_too_late", CREATE, *args).column_name == "expires_at"


def test_a_key_until_infinity_has_no_expiry(people: People) -> None:
    project, *words, _ = arguments(people.projects["ada"])
    with people.as_("ada"):
        assert people.one(CREATE, project, *words, "infinity")["expires_at"] is None
    stored = people.one("select expires_at is null as never from public.api_keys where id = %s", words[0])
    assert stored == {"never": True}


def test_a_bad_name_is_refused(people: People) -> None:
    assert (
        refuses(people, "ada", "400 name_required", CREATE, *arguments(people.projects["ada"], "")).column_name
        == "name"
    )


def test_a_hash_of_another_length_is_refused(people: People) -> None:
    project, key_id, name, prefix, _, expiry = arguments(people.projects["ada"])
    with people.as_("ada"):
        people.refused("23514", CREATE, project, key_id, name, prefix, b"short", expiry)


def test_an_id_or_a_hash_that_exists_is_refused_and_leaves_no_audit_line(people: People) -> None:
    project, key_id, name, prefix, key_hash, expiry = arguments(people.projects["ada"])
    before = audit_lines(people, "ada")
    for used in (people.keys["ada"], people.keys["eve"]):
        refuses(people, "ada", "409 key_exists", CREATE, project, used.id, name, prefix, key_hash, expiry)
        refuses(people, "ada", "409 key_exists", CREATE, project, key_id, name, prefix, used.hash, expiry)
    assert audit_lines(people, "ada") == before


def test_two_keys_of_a_project_may_have_one_name(people: People) -> None:
    with people.as_("ada"):
        for _ in range(2):
            assert people.one(CREATE, *arguments(people.projects["ada"], "main"))["name"] == "main"


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", CREATE, *arguments(people.projects["ada"]))
    strangers_are_refused(people, CREATE, *arguments(people.projects["ada"]))


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_create") == {"authenticated"}


def test_one_form_sent_twice_at_once_makes_one_key(own_dsn: str) -> None:
    def run(user: UUID, query: str, *args: object) -> UUID:
        with person(own_dsn, user) as conn:
            return conn.execute(query, args).fetchone()[0]

    _, (ada, bea) = two_admins(own_dsn)
    project = run(ada, "select id from app.project_create('chat')")
    for _ in range(10):
        key_id = uuid4()
        forms = [(project, key_id, *arguments(project)[2:]) for _ in range(2)]
        jobs = [partial(run, who, CREATE, *form) for who, form in zip((ada, bea), forms, strict=True)]
        answers = side_by_side(*jobs)
        (refused,) = [answer for answer in answers if answer != key_id]
        assert (refused.sqlstate, refused.diag.message_detail) == ("PT409", "key_exists")
