"""app.key_link_set."""

from __future__ import annotations

import psycopg
from checks import audit_lines, executors, refuses, strangers_are_refused
from openai_books import DAY, compare, fetch, linked_key, named
from openai_keys import keys_of_openai, provider_key
from people import People

SET = "select app.key_link_set(%s, %s) as id"
LINE = ("key_laptop", "gpt-4o-mini, output", 10, "tokens", "0.5")


def test_an_admin_links_and_links_again(people: People) -> None:
    version = provider_key(people)
    keys_of_openai(people, key_a="xyzA", key_b="xyzA")
    with people.as_("ada"):
        first = people.one(SET, version, "key_a")["id"]
        assert people.one(SET, version, "key_a")["id"] == first
        people.one(SET, version, "key_b")
        rows = people.all("select openai_key_id, how, ended_at is null as holds from public.key_links order by since")
    assert [tuple(row.values()) for row in rows] == [("key_a", "admin", False), ("key_b", "admin", True)]
    lines = [line for line in audit_lines(people, "ada") if line[0] == "key_link.set"]
    assert [line[2]["openai_key_id"] for line in lines] == ["key_a", "key_b"] and lines[0][1] == version


def test_from_then_on_its_lines_are_compared(people: People) -> None:
    linked_key(people)
    fetch(people, {DAY: [LINE]})
    assert list(named(compare(people))) == [("gpt-4o-mini, output", "outside_key")]
    version = provider_key(people, "xyzB")
    keys_of_openai(people, key_laptop="xyzB")
    with people.as_("ada"):
        people.one(SET, version, "key_laptop")
        assert people.one("select app.reconcile(%s, %s) as n", DAY, DAY.replace(day=15))["n"] == 1
    assert list(named(compare(people))) == [("gpt-4o-mini, output", "missing_in_ledger")]


def test_only_keys_of_ones_own_and_of_ones_own_list(people: People) -> None:
    mine, eves = provider_key(people), provider_key(people, who="eve")
    keys_of_openai(people, key_a="xyzA")
    keys_of_openai(people, "eve", key_e="xyzA")
    refuses(people, "ada", "404 provider_key_not_found", SET, eves, "key_a")
    refuses(people, "ada", "404 openai_key_not_found", SET, mine, "key_e")
    refuses(people, "ada", "404 provider_key_not_found", SET, None, "key_a")


def test_not_the_key_of_the_install_while_several_organizations_share_it(people: People) -> None:
    shared = people.one(
        "insert into public.provider_key_versions (last4, fingerprint, shared) values ('xyzA', 'f', true) returning id"
    )["id"]
    keys_of_openai(people, key_a="xyzA")
    refuses(people, "ada", "404 provider_key_not_found", SET, shared, "key_a")


def test_a_developer_and_strangers_may_not(people: People) -> None:
    version = provider_key(people)
    keys_of_openai(people, key_a="xyzA")
    refuses(people, "dev", "403 admin_required", SET, version, "key_a")
    strangers_are_refused(people, SET, version, "key_a")


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "key_link_set") == {"authenticated"}
