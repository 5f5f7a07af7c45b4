"""app.user_alive: whether a person may still sign in."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from checks import executors
from people import People

ALIVE = "select app.user_alive(%s) as alive"


@pytest.mark.parametrize(("change", "alive"), [
    ("banned_until = null", True), ("banned_until = now() - interval '1 s'", True),
    ("banned_until = now() + interval '1 hour'", False), ("deleted_at = now()", False),
])  # fmt: skip
def test_a_banned_or_deleted_account_is_out(people: People, change: str, alive: bool) -> None:
    people.conn.execute("reset role")
    people.conn.execute(f"update auth.users set {change} where email = 'ada@acme.test'")
    people.conn.execute("set role postgres")
    assert people.one(ALIVE, people.ids["ada"])["alive"] is alive
    assert people.one(ALIVE, people.ids["dev"])["alive"] is True


def test_an_account_that_never_was_is_not_alive(people: People) -> None:
    assert people.one(ALIVE, uuid4())["alive"] is False


def test_only_sign_in_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "user_alive") == {"spendai_auth"}
