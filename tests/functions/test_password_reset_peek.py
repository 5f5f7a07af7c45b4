"""app.password_reset_peek: what the page behind a link to set a new password shows."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import HASH, People

TOKEN = b"t" * 32


@pytest.fixture
def linked(people: People) -> People:
    """Ada has an open link."""
    people.one("select app.password_reset_create('ada@acme.test', %s)", TOKEN)
    return people


def peek(people: People, token: bytes | None) -> list[dict[str, str]]:
    with people.as_role("spendai_auth"):
        return people.all("select * from app.password_reset_peek(%s)", token)


def test_the_holder_of_the_link_sees_whose_password_it_sets_and_does_not_use_it_up(linked: People) -> None:
    for _ in range(2):
        assert peek(linked, TOKEN) == [{"email": "ada@acme.test"}]


def test_a_wrong_token_shows_nothing(linked: People) -> None:
    assert peek(linked, b"x" * 32) == peek(linked, b"") == peek(linked, None) == []


def test_a_link_that_has_expired_shows_nothing(linked: People) -> None:
    linked.conn.execute("update private.password_resets set expires_at = now()")
    assert peek(linked, TOKEN) == []


def test_a_link_that_was_used_shows_nothing(linked: People) -> None:
    linked.one("select app.password_reset_use(%s, %s)", TOKEN, HASH)
    assert peek(linked, TOKEN) == []


def test_only_sign_in_may_look(db: psycopg.Connection) -> None:
    assert executors(db, "password_reset_peek") == {"spendai_auth"}
