"""app.admin_key_set: an organization brings its OpenAI admin key."""

from __future__ import annotations

from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

SET = "select * from app.admin_key_set(%s, %s, %s)"
KEY = (b"\x01cipher", "wxyz", None)


def test_a_second_key_replaces_the_first_and_both_are_in_the_audit_log(people: People) -> None:
    with people.as_("ada"):
        assert people.one(SET, *KEY)["last4"] == "wxyz"
        people.one(SET, b"\x01second", "abcd", "https://eu.api.openai.com/v1")
    (row,) = people.all("select * from private.admin_keys")
    assert (row["ciphertext"], row["last4"], row["updated_by"]) == (b"\x01second", "abcd", people.ids["ada"])
    assert [line[0] for line in audit_lines(people, "ada")[-2:]] == ["admin_key.set"] * 2
    assert audit_lines(people, "ada")[-1][2] == {"last4": "abcd", "base_url": "https://eu.api.openai.com/v1"}


def test_each_organization_has_its_own_and_the_books_stay_as_they_are(people: People) -> None:
    for who in ("ada", "eve"):
        with people.as_(who):
            people.one(SET, who.encode(), "wxyz", None)
    rows = people.all("select org_id, ciphertext from private.admin_keys")
    assert {row["org_id"]: row["ciphertext"] for row in rows} == {
        people.orgs["ada"]: b"ada", people.orgs["eve"]: b"eve"
    }  # fmt: skip
    assert {row["books"] for row in people.all("select books from public.organizations")} == {"sandbox"}


def test_the_demo_organization_takes_none(people: People) -> None:
    people.conn.execute("update public.organizations set is_demo = true where name = 'Acme'")
    refuses(people, "ada", "409 demo_organization", SET, *KEY)
    assert people.all("select from private.admin_keys") == []


def test_more_than_four_characters_of_a_key_are_never_shown(people: People) -> None:
    with people.as_("ada"):
        people.refused("23514", SET, b"cipher", "vwxyz", None)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", SET, *KEY)
    strangers_are_refused(people, SET, *KEY)


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "admin_key_set") == {"authenticated"}
