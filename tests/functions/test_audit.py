"""app.audit: one line of the audit log."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_a_line_says_who_what_and_when(people: People) -> None:
    key = people.keys["ada"].id
    with people.as_role("postgres", {"sub": str(people.ids["ada"])}):
        people.one("select app.audit(%s, 'key.created', %s, '{\"name\": \"main\"}')", people.orgs["ada"], key)
    line = people.one(
        "select *, at between now() and clock_timestamp() as is_now from public.audit_log order by at desc limit 1"
    )
    assert (line["org_id"], line["actor_id"], line["actor_email"]) == (
        people.orgs["ada"],
        people.ids["ada"],
        "ada@acme.test",
    )
    assert (line["action"], line["subject_id"], line["details"]) == (
        "key.created",
        people.keys["ada"].id,
        {"name": "main"},
    )
    assert line["is_now"]


def test_the_operator_has_no_name_and_no_details_are_an_empty_object(people: People) -> None:
    people.one("select app.audit(%s, 'key.revoked', null, null)", people.orgs["ada"])
    line = people.one("select * from public.audit_log order by at desc limit 1")
    assert (line["actor_id"], line["actor_email"], line["details"]) == (None, None, {})


def test_nobody_writes_a_line_by_hand(people: People) -> None:
    assert executors(people.conn, "audit") == set()
    with people.as_("ada"):
        people.refused("42501", "select app.audit(%s, 'key.created', null, '{}')", people.orgs["ada"])


def test_the_line_goes_when_the_change_goes(db: psycopg.Connection, people: People) -> None:
    before = people.one("select count(*) from public.audit_log")
    with db.transaction(force_rollback=True), people.as_("ada"):
        people.one("select * from app.project_create('short-lived')")
    assert people.one("select count(*) from public.audit_log") == before
