"""app.call_show."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from checks import executors
from people import People
from spending import days_ago, spent, uuid7

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
    with psycopg.connect(own_dsn) as conn:
        for days in (0, 50, 100):
            conn.execute("select app.ensure_partition(%s)", [days_ago(days).date()])
    with psycopg.connect(own_dsn) as conn:  # one that has read nothing yet
        assert conn.execute(SCANNED).fetchone() == ([],)
        conn.execute("select * from app.call_show(%s)", [uuid7(days_ago(50))]).fetchall()
        assert conn.execute(SCANNED).fetchone() == ([f"usage_logs_{days_ago(50):%Y_%m}"],)
