"""app.nobody_yet: whether nobody has ever signed up to the installation."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

ASK = "select app.nobody_yet() as nobody"


def test_it_is_true_until_the_first_account(db: psycopg.Connection) -> None:
    db.execute("set role spendai_auth")
    assert db.execute(ASK).fetchone()["nobody"] is True
    db.execute("set role postgres")
    db.execute("select local_auth.create_user('ada@acme.test', %s)", ["$2a$04$" + "a" * 53])
    assert db.execute(ASK).fetchone()["nobody"] is False


def test_it_stays_false_when_all_accounts_are_gone(people: People) -> None:
    people.conn.execute("reset role")
    people.conn.execute("delete from auth.users")
    people.conn.execute("set role postgres")
    assert people.one(ASK)["nobody"] is False


def test_only_sign_in_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "nobody_yet") == {"spendai_auth"}
