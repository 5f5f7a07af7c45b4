"""app.provider_key_set: an organization brings its own OpenAI key."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

SET = "select * from app.provider_key_set(%s, %s, %s, %s, 'f', false)"
KEY = (b"\x01cipher", "wxyz", None)


def books(people: People) -> dict[str, str]:
    return {row["name"]: row["books"] for row in people.all("select name, books from public.organizations")}


def test_storing_a_key_turns_the_books_of_this_organization_to_real_money(people: People) -> None:
    with people.as_("ada"):
        assert people.one(SET, None, *KEY)["last4"] == "wxyz"
    assert books(people) == {"Acme": "openai", "Evil": "sandbox"}
    assert audit_lines(people, "ada")[-1] == ("provider_key.set", None, {"last4": "wxyz", "base_url": None})
    (opened,) = people.open_calls(people.open_message("ada"))
    assert (opened["upstream"], opened["provider_key"]) == ("openai", KEY[0])


def test_a_second_key_replaces_the_first_and_projects_have_their_own(people: People) -> None:
    project = people.projects["ada"]
    with people.as_("ada"):
        for which, cipher in ((None, b"1"), (project, b"2"), (None, b"3"), (project, b"4")):
            people.one(SET, which, cipher, "abcd", "https://eu.api.openai.com/v1")
    rows = people.all("select project_id, ciphertext, base_url, updated_by from private.provider_keys")
    assert {row["project_id"]: row["ciphertext"] for row in rows} == {None: b"3", project: b"4"}
    assert {(row["base_url"], row["updated_by"]) for row in rows} == {
        ("https://eu.api.openai.com/v1", people.ids["ada"])
    }


def test_a_key_of_another_organization_is_stored_only_after_a_confirmation(people: People) -> None:
    with people.as_("ada"):
        people.one(SET, None, *KEY)
        people.one(SET, people.projects["ada"], *KEY)  # of the same organization
    error = refuses(people, "eve", "409 key_in_use", SET, None, *KEY)
    assert "Acme" not in str(error) and str(people.orgs["ada"]) not in str(error)
    assert people.one("select count(*) as n from private.provider_keys where org_id = %s", people.orgs["eve"])["n"] == 0
    assert books(people)["Evil"] == "sandbox"
    with people.as_("eve"):
        assert people.one(SET.replace("false", "true"), None, *KEY)["last4"] == "wxyz"
        people.one(SET.replace("'f'", "'g'"), None, *KEY)  # a key of her own needs none
    with people.as_("ada"):
        people.one(SET, None, *KEY)


@pytest.mark.parametrize(("shared", "who", "refused"), [
    (False, "eve", True), (False, "ada", False), (True, "eve", True), (True, "ada", True),
])  # fmt: skip
def test_the_installs_key_counts_as_anothers_unless_it_serves_this_organization_alone(
    people: People, shared: bool, who: str, refused: bool
) -> None:
    with people.as_role("spendai_proxy"):
        people.one("select app.install_key_version(%s, 'f', 'inst', 'https://api.test/v1')", shared)
    if refused:
        refuses(people, who, "409 key_in_use", SET, None, *KEY)
    else:
        with people.as_(who):
            assert people.one(SET, None, *KEY)
    with people.as_role("spendai_proxy"):
        people.one("select app.install_key_version(%s, 'other', 'inst', 'https://api.test/v1')", shared)
    with people.as_(who):
        assert people.one(SET, None, *KEY)


def test_eve_finds_no_project_of_acme_to_store_a_key_for(people: People) -> None:
    for which in (people.projects["ada"], uuid4()):
        refuses(people, "eve", "404 project_not_found", SET, which, *KEY)
    assert people.all("select from private.provider_keys") == []


def test_the_demo_organization_takes_no_key(people: People) -> None:
    people.conn.execute("update public.organizations set is_demo = true where name = 'Acme'")
    refuses(people, "ada", "409 demo_organization", SET, None, *KEY)
    assert books(people)["Acme"] == "sandbox"


def test_more_than_four_characters_of_a_key_are_never_shown(people: People) -> None:
    with people.as_("ada"):
        people.refused("23514", SET, None, b"cipher", "vwxyz", None)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", SET, None, *KEY)
    strangers_are_refused(people, SET, None, *KEY)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "provider_key_set") == {"authenticated"}
