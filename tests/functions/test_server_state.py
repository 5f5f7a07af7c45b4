"""app.server_state: cluster, role, position and schema; of a replica tests/webapp/replica asks it."""

from __future__ import annotations

import psycopg
from checks import executors

STATE = "select *, wal_position <= pg_current_wal_insert_lsn() as real from app.server_state()"


def test_a_primary_says_who_it_is_and_how_far_it_has_written(db: psycopg.Connection) -> None:
    found = db.execute(STATE).fetchone()
    cluster = db.execute("select system_identifier::text as id from pg_control_system()").fetchone()["id"]
    assert (found["cluster"], found["is_replica"], found["real"]) == (cluster, False, True)
    assert found["schema_version"] == db.execute("select app.schema_version() as v").fetchone()["v"]


def test_only_sign_in_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "server_state") == {"spendai_auth"}
