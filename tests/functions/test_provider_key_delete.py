"""app.provider_key_delete."""

from __future__ import annotations

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

DELETE = "select app.provider_key_delete(%s)"
SET = "select * from app.provider_key_set(%s, %s, 'wxyz', null, 'f', false)"


@pytest.fixture
def keyed(people: People) -> People:
    """Acme with a key of its own and one of its project."""
    with people.as_("ada"):
        people.one(SET, None, b"org")
        people.one(SET, people.projects["ada"], b"project")
    return people


def stored(people: People) -> set[bytes]:
    return {row["ciphertext"] for row in people.all("select ciphertext from private.provider_keys")}


def test_an_admin_forgets_one_key_at_a_time(keyed: People) -> None:
    with keyed.as_("ada"):
        keyed.one(DELETE, keyed.projects["ada"])
    assert stored(keyed) == {b"org"}
    assert audit_lines(keyed, "ada")[-1] == ("provider_key.deleted", keyed.projects["ada"], {"last4": "wxyz"})
    with keyed.as_("ada"):
        keyed.one(DELETE, None)
    assert stored(keyed) == set()


def test_afterwards_nothing_made_up_is_answered(keyed: People) -> None:
    with keyed.as_("ada"):
        keyed.one(DELETE, None)
        keyed.one(DELETE, keyed.projects["ada"])
    assert keyed.open_calls(keyed.open_message("ada"))[0]["outcome"] == "no_provider_key"


def test_what_is_not_there_is_not_found(people: People) -> None:
    refuses(people, "ada", "404 provider_key_not_found", DELETE, None)
    refuses(people, "ada", "404 provider_key_not_found", DELETE, people.projects["ada"])


def test_eve_does_not_find_acmes_keys(keyed: People) -> None:
    for which in (None, keyed.projects["ada"]):
        refuses(keyed, "eve", "404 provider_key_not_found", DELETE, which)
    assert stored(keyed) == {b"org", b"project"}


def test_a_developer_and_strangers_may_not(keyed: People) -> None:
    refuses(keyed, "dev", "403 admin_required", DELETE, None)
    strangers_are_refused(keyed, DELETE, None)


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "provider_key_delete") == {"authenticated"}
