"""app.change_position: up to where a replica must have replayed for a person."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

ASKED = "select app.change_position(%s)::text as at"


def test_it_is_the_position_of_the_last_change_of_that_person_alone(people: People) -> None:
    ada = people.ids["ada"]
    assert people.one(ASKED, ada) == {"at": None}
    people.conn.execute("select app.change_note(%s)", [ada])
    kept = people.one("select wal_position::text as at from private.last_changes where user_id = %s", ada)
    assert people.one(ASKED, ada) == kept
    assert people.one(ASKED, people.ids["dev"]) == {"at": None}


def test_a_change_is_forgotten_when_no_replica_that_is_used_can_lack_it(people: People) -> None:
    ada = people.ids["ada"]
    people.conn.execute("select app.change_note(%s)", [ada])
    people.conn.execute("update private.last_changes set changed_at = now() - interval '5 minutes 1 second'")
    assert people.one(ASKED, ada) == {"at": None}


def test_only_sign_in_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "change_position") == {"spendai_auth"}
