"""app.web_session_load: a living browser session with its person."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

ID = b"i" * 32
LOAD = "select * from app.web_session_load(%s)"


@pytest.fixture(autouse=True)
def session(people: People) -> None:
    """Ada's, for an hour."""
    people.one("select app.web_session_start(%s, %s, %s, null, 3600, null, null)", ID, people.ids["ada"], '{"a": 1}')


def as_superuser(people: People, query: str) -> None:
    people.conn.execute("reset role")
    people.conn.execute(query)
    people.conn.execute("set role postgres")


def test_it_comes_with_its_person_and_data(people: People) -> None:
    found = people.one(LOAD, ID)
    assert (found["user_id"], found["email"], found["data"]) == (people.ids["ada"], "ada@acme.test", {"a": 1})


def test_a_strangers_has_no_person(people: People) -> None:
    people.one("select app.web_session_start(%s, null, '{}', null, 3600, null, null)", b"s" * 32)
    assert people.one(LOAD, b"s" * 32)["email"] is None


def test_another_id_is_no_session(people: People) -> None:
    assert people.one(LOAD, b"x" * 32) is None


def test_one_that_expired_is_none(people: People) -> None:
    people.conn.execute("update private.web_sessions set expires_at = now()")
    assert people.one(LOAD, ID) is None


@pytest.mark.parametrize("change", ["banned_until = now() + interval '1 hour'", "deleted_at = now()"])
def test_one_of_a_person_who_may_not_sign_in_is_none(people: People, change: str) -> None:
    as_superuser(people, f"update auth.users set {change} where email = 'ada@acme.test'")
    assert people.one(LOAD, ID) is None


def test_a_ban_that_is_over_counts_no_more(people: People) -> None:
    as_superuser(people, "update auth.users set banned_until = now() - interval '1 s'")
    assert people.one(LOAD, ID) is not None


def test_only_sign_in_may_read(db: psycopg.Connection) -> None:
    assert executors(db, "web_session_load") == {"spendai_auth"}
