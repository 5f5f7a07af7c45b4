"""app.has_replayed: whether a server has everything up to a position; on a replica tests/webapp/replica tries it."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def test_a_primary_has_everything(people: People) -> None:
    with people.as_("ada"):
        assert people.one("select app.has_replayed('FFFFFFFF/0') as yes") == {"yes": True}


def test_people_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "has_replayed") == {"authenticated"}
