"""app.is_first_org."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_only_the_first_organization_is_it(people: People) -> None:
    told = {}
    people.sign_up("lone", "lone@nowhere.test")
    for name in ("ada", "dev", "eve", "lone"):
        with people.as_(name):
            told[name] = people.one("select app.is_first_org() as is_it")["is_it"]
    assert told == {"ada": True, "dev": True, "eve": False, "lone": False}


def test_members_and_analysts_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "is_first_org") == {"authenticated", "spendai_analyst"}
