"""app.call_show."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
from checks import executors
from people import People
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from spending import days_ago, spent

from webapp.postgres.cluster import SUPERUSER

SHOW = "select * from app.call_show(%s)"


def test_a_call_is_found_by_its_id_however_old(people: People) -> None:
    for days in (0, 50):
        call = spent(people, at=days_ago(days))
        with people.as_("dev"):
            row = people.one(SHOW, call)
        assert (row["id"], row["project"], row["key"]) == (call, "chat", "main")


def test_eve_finds_nothing_and_an_unknown_id_is_no_row(people: People) -> None:
    call = spent(people)
    with people.as_("eve"):
        assert people.all(SHOW, call) == []
    with people.as_("ada"):
        assert people.all(SHOW, uuid4()) == []
    assert executors(people.conn, "call_show") == {"authenticated"}


SCANNED = """
select coalesce(array_agg(distinct substring(c.relname from 'usage_logs_\\d{4}_\\d\\d')), '{}') as months
from pg_class c where c.relnamespace = 'private'::regnamespace and c.relname ~ '^usage_logs_\\d'
    and c.relkind in ('r', 'i') and pg_stat_get_xact_numscans(c.oid) > 0
"""


def test_only_the_month_that_the_id_names_is_read(own_dsn: str) -> None:
    with psycopg.connect(make_conninfo(own_dsn, user=SUPERUSER), row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        people = People(conn)
        call = [spent(people, at=days_ago(days)) for days in (0, 50, 100)][1]
    with psycopg.connect(own_dsn) as conn:  # one that has read nothing yet
        assert conn.execute(SCANNED).fetchone() == ([],)
        assert conn.execute("select id from app.call_show(%s)", [call]).fetchone() == (UUID(str(call)),)
        assert conn.execute(SCANNED).fetchone() == ([f"usage_logs_{days_ago(50):%Y_%m}"],)
