"""app.analysts_end_long: ends sessions of analysts whose transaction lasts too long."""

from __future__ import annotations

import psycopg
import pytest
from analysts import new_analyst
from checks import executors
from people import People
from psycopg.conninfo import make_conninfo

END = "select app.analysts_end_long(%s) as n"


@pytest.fixture
def ann(own_dsn: str) -> str:
    """Connection string of an analyst."""
    with psycopg.connect(own_dsn) as conn:
        (org,) = conn.execute("insert into public.organizations (name) values ('Acme') returning id").fetchone()
    return new_analyst(own_dsn, str(org))


def test_it_ends_the_long_transactions_of_analysts_and_nothing_else(own_dsn: str, ann: str) -> None:
    with (
        psycopg.connect(own_dsn) as owner, psycopg.connect(own_dsn) as other,
        psycopg.connect(ann) as long, psycopg.connect(ann, autocommit=True) as idle,
    ):  # fmt: skip
        for conn in (other, long, idle):
            conn.execute("select 1")
        assert owner.execute(END, ["1 minute"]).fetchone() == (0,)
        assert owner.execute(END, ["0 s"]).fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            long.execute("select 1")
        other.execute("select 1")
        idle.execute("select 1")


def test_without_the_right_to_end_sessions_it_ends_none(own_dsn: str, ann: str) -> None:
    superuser = make_conninfo(own_dsn, user="supabase_admin")
    with psycopg.connect(ann) as long, psycopg.connect(superuser, autocommit=True) as conn:
        long.execute("select 1")
        conn.execute("create role weak login password 'temporary'")
        try:
            conn.execute("grant usage on schema app, private to weak; grant select on private.analyst_logins to weak")
            conn.execute("alter function app.analysts_end_long owner to weak; grant pg_read_all_stats to weak")
            conn.execute("grant execute on all functions in schema pg_catalog to weak")
            assert conn.execute(END, ["0 s"]).fetchone() == (0,)
        finally:
            conn.execute("drop owned by weak; drop role weak")
        long.execute("select 1")


def test_the_sign_in_role_runs_it_for_the_workers(people: People) -> None:
    assert executors(people.conn, "analysts_end_long") == {"spendai_auth"}
    with people.as_role("spendai_auth"):
        assert people.one(END, "1 hour")["n"] == 0
