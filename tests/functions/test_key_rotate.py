"""app.key_rotate: a new key for an old one, with an overlap."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from checks import audit_lines, executors, person, refuses, side_by_side, strangers_are_refused, two_admins
from people import People

from webapp.secrets.proxy_keys import NewKey, new_key

ROTATE = "select * from app.key_rotate(%s, %s, %s, %s, %s)"


def arguments(old: UUID | None, overlap: int | None = 3600) -> tuple[object, ...]:
    key = new_key()
    return old, key.id, key.prefix, key.hash, overlap


def rotate(people: People, overlap: int) -> NewKey:
    key = new_key()
    with people.as_("ada"):
        people.one(ROTATE, people.keys["ada"].id, key.id, key.prefix, key.hash, overlap)
    return key


def outcome(people: People, key: NewKey) -> str:
    return people.open_calls(people.open_message("ada", key_hash=key.hash.hex()))[0]["outcome"]


def test_both_keys_work_during_the_overlap(people: People) -> None:
    new = rotate(people, 3600)
    assert (outcome(people, people.keys["ada"]), outcome(people, new)) == ("opened", "opened")
    old_row = people.one("select expires_at - now() as left from public.api_keys where id = %s", people.keys["ada"].id)
    assert old_row["left"] == timedelta(hours=1)
    row = people.one("select * from public.api_keys where id = %s", new.id)
    assert (row["rotated_from"], row["project_id"], row["name"]) == (
        people.keys["ada"].id,
        people.projects["ada"],
        "main",
    )
    assert row["expires_at"] is None
    action, subject, details = audit_lines(people, "ada")[-1]
    assert (action, subject) == ("key.rotated", people.keys["ada"].id)
    assert (details["new_id"], details["new_prefix"], details["overlap_seconds"]) == (str(new.id), new.prefix, 3600)


def test_without_overlap_the_old_key_ends_at_once(people: People) -> None:
    new = rotate(people, 0)
    assert (outcome(people, people.keys["ada"]), outcome(people, new)) == ("expired_key", "opened")


def test_a_key_made_to_live_90_days_is_replaced_by_one_that_lives_90_days(people: People) -> None:
    people.conn.execute(
        "update public.api_keys set created_at = now() - interval '80 days', expires_at = now() + interval '10 days'"
    )
    new = rotate(people, 30 * 86400)
    rows = people.all(
        "select id, expires_at - now() as left from public.api_keys where org_id = %s", people.orgs["ada"]
    )
    left = {row["id"]: row["left"] for row in rows}
    assert left == {new.id: timedelta(days=90), people.keys["ada"].id: timedelta(days=10)}


def test_a_key_is_rotated_once_and_its_successor_next(people: People) -> None:
    new = rotate(people, 3600)
    refuses(people, "ada", "409 key_already_rotated", ROTATE, *arguments(people.keys["ada"].id))
    with people.as_("ada"):
        assert people.one(ROTATE, *arguments(new.id))["name"] == "main"


@pytest.mark.parametrize("change", ["revoked_at = now()", "expires_at = now()"])
def test_a_key_that_has_ended_is_not_rotated(people: People, change: str) -> None:
    people.conn.execute(f"update public.api_keys set {change}")
    assert refuses(people, "ada", "409 key_not_active", ROTATE, *arguments(people.keys["ada"].id)).message_hint


def test_a_key_of_an_archived_project_is_not_rotated(people: People) -> None:
    people.conn.execute("update public.projects set archived_at = now()")
    refuses(people, "ada", "409 project_archived", ROTATE, *arguments(people.keys["ada"].id))


@pytest.mark.parametrize("overlap", [-1, 2592001, None])
def test_an_overlap_is_0_seconds_to_30_days(people: People, overlap: int | None) -> None:
    args = arguments(people.keys["ada"].id, overlap)
    assert refuses(people, "ada", "400 overlap_invalid", ROTATE, *args).column_name == "overlap_seconds"


def test_a_new_key_with_an_id_or_a_hash_that_exists_is_refused(people: People) -> None:
    old, key_id, prefix, key_hash, overlap = arguments(people.keys["ada"].id)
    used = people.keys["eve"]
    refuses(people, "ada", "409 key_exists", ROTATE, old, used.id, prefix, key_hash, overlap)
    refuses(people, "ada", "409 key_exists", ROTATE, old, key_id, prefix, used.hash, overlap)
    assert outcome(people, people.keys["ada"]) == "opened"


def test_eve_does_not_find_acmes_key(people: People) -> None:
    for which in (people.keys["ada"].id, uuid4(), None):
        refuses(people, "eve", "404 key_not_found", ROTATE, *arguments(which))


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", ROTATE, *arguments(people.keys["ada"].id))
    strangers_are_refused(people, ROTATE, *arguments(people.keys["ada"].id))


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_rotate") == {"authenticated"}


def test_two_rotations_at_once_make_one_new_key(own_dsn: str) -> None:
    def run(user: UUID, query: str, *args: object) -> UUID:
        with person(own_dsn, user) as conn:
            return conn.execute(query, args).fetchone()[0]

    _, (ada, bea) = two_admins(own_dsn)
    project = run(ada, "select id from app.project_create('chat')")
    for _ in range(10):
        old = new_key()
        run(ada, "select id from app.key_create(%s, %s, 'ci', %s, %s, null)", project, old.id, old.prefix, old.hash)
        answers = side_by_side(*[partial(run, who, ROTATE, *arguments(old.id)) for who in (ada, bea)])
        (refused,) = [answer for answer in answers if not isinstance(answer, UUID)]
        assert refused.diag.message_detail == "key_already_rotated"
        with psycopg.connect(own_dsn) as conn:
            assert conn.execute(
                "select count(*) from public.api_keys where rotated_from = %s", [old.id]
            ).fetchone() == (1,)
