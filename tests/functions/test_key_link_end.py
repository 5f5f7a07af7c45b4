"""app.key_link_end."""

from __future__ import annotations

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from openai_books import DAY, compare, fetch, linked_key, named
from people import People

END = "select app.key_link_end(%s)"


def link_of(people: People) -> object:
    return people.one("select id from public.key_links where org_id = %s", people.orgs["ada"])["id"]


def test_an_undone_link_leaves_its_lines_outside_and_holds_no_more(people: People) -> None:
    version = linked_key(people)
    fetch(people, {DAY: [("key_proxy", "gpt-4o-mini, output", 10, "tokens", "0.5")]})
    assert list(named(compare(people))) == [("gpt-4o-mini, output", "missing_in_ledger")]
    with people.as_("ada"):
        people.one(END, link_of(people))
        people.one("select app.reconcile(%s, %s)", DAY, DAY.replace(day=15))
    assert audit_lines(people, "ada")[-1][:2] == ("key_link.ended", version)
    assert audit_lines(people, "ada")[-1][2] == {"openai_key_id": "key_proxy", "last4": "xyzA"}
    assert list(named(compare(people))) == [("gpt-4o-mini, output", "outside_key")]
    refuses(people, "ada", "404 key_link_not_found", END, link_of(people))


def test_eve_does_not_find_it_and_a_developer_and_strangers_may_not(people: People) -> None:
    linked_key(people)
    refuses(people, "eve", "404 key_link_not_found", END, link_of(people))
    refuses(people, "dev", "403 admin_required", END, link_of(people))
    strangers_are_refused(people, END, link_of(people))
    assert people.one("select ended_at from public.key_links") == {"ended_at": None}


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_link_end") == {"authenticated"}
