"""app.login_session_alive: whether access tokens of a log-in still count."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from checks import executors
from people import People


@pytest.fixture
def session(people: People) -> UUID:
    return people.one("select app.login_session_start(%s, %s, null, null) as id", people.ids["ada"], b"r" * 32)["id"]


def alive(people: People, which: UUID | None) -> bool:
    with people.as_role("spendai_auth"):
        return people.one("select app.login_session_alive(%s) as alive", which)["alive"]


def test_a_fresh_session_lives_and_an_unknown_one_does_not(people: People, session: UUID) -> None:
    assert [alive(people, which) for which in (session, uuid4(), None)] == [True, False, False]


@pytest.mark.parametrize(
    ("change", "lives"),
    [
        ("deleted_at = now()", False),
        ("banned_until = now() + interval '1 h'", False),
        ("banned_until = now() - interval '1 h'", True),
    ],
)
def test_it_dies_with_the_account_and_while_that_is_banned(
    people: People, session: UUID, change: str, lives: bool
) -> None:
    people.conn.execute("reset role")
    people.conn.execute(f"update auth.users set {change} where id = %s", [people.ids["ada"]])
    people.conn.execute("set role postgres")
    assert alive(people, session) == lives


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "login_session_alive") == {"spendai_auth"}
