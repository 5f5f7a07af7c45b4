"""app.password_reset_create: the operator makes a one-time password link."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

CREATE = "select app.password_reset_create(%s, %s) as person"


@pytest.mark.parametrize("email", ["ada@acme.test", " ADA@Acme.Test "])
def test_a_link_is_good_for_a_day(people: People, email: str) -> None:
    assert people.one(CREATE, email, b"t" * 32)["person"] == people.ids["ada"]
    row = people.one("select *, expires_at - now() as left from private.password_resets")
    assert (row["user_id"], row["token_hash"], row["used_at"], row["left"].days) == (
        people.ids["ada"],
        b"t" * 32,
        None,
        1,
    )


@pytest.mark.parametrize("email", ["nobody@acme.test", "", None])
def test_without_such_an_account_there_is_no_link(people: People, email: str | None) -> None:
    row = people.one(CREATE, email, b"t" * 32)
    assert row is None or row["person"] is None
    assert people.all("select from private.password_resets") == []


@pytest.mark.parametrize("change", ["deleted_at = now()", "is_sso_user = true"])
def test_a_deleted_or_single_sign_on_account_gets_none(people: People, change: str) -> None:
    people.conn.execute("reset role")
    people.conn.execute(f"update auth.users set {change} where id = %s", [people.ids["ada"]])
    people.conn.execute("set role postgres")
    assert people.one(CREATE, "ada@acme.test", b"t" * 32)["person"] is None


def test_only_the_operator_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "password_reset_create") == set()
