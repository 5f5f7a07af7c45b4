"""app.statistics_off: the planner has no statistics of tables that people read."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

OFF = "select app.statistics_off() as n"
KNOWN = "select tablename::text || '.' || attname as name from pg_stats where tablename ~ '^(projects|usage_logs_2040)'"
COLLECTED = "select count(*) as n from pg_attribute where attrelid = %s::regclass and attnum > 0 and attstattarget <> 0"


def know(people: People) -> None:
    """Statistics of projects, as an earlier version of SpendAI let them be collected."""
    people.conn.execute("alter table public.projects alter name set statistics 100")
    people.conn.execute("analyze public.projects")
    assert [row["name"] for row in people.conn.execute(KNOWN).fetchall()] == ["projects.name"]


def test_after_migrating_there_are_none_and_it_changes_nothing(people: People) -> None:
    people.conn.execute("analyze public.usage_logs; analyze public.projects; analyze public.model_prices")
    assert people.one(OFF)["n"] == 0
    assert people.one("select count(*) as n from pg_stats where schemaname = 'public'")["n"] == 0


def test_a_new_column_an_expression_in_an_index_and_a_new_month_have_none(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as conn:
        conn.execute("alter table public.projects add column colour text default 'red'")
        conn.execute("create index on public.projects (upper(colour))")
        conn.execute("insert into public.organizations (name) values ('Acme')")
        conn.execute("insert into public.projects (org_id, name) select id, 'Web' from public.organizations")
        conn.execute("select app.ensure_partition('2040-02-01')")
        assert conn.execute(OFF).fetchone() == (0,)  # the new month's function has run it for everything
        for table in ("public.projects", "private.usage_logs_2040_02"):
            assert conn.execute(COLLECTED, [table]).fetchone() == (0,)
    with psycopg.connect(own_dsn) as conn:  # before Postgres 17 a session that used the index keeps its old setting
        conn.execute("analyze public.projects; analyze private.usage_logs_2040_02")
        assert conn.execute(KNOWN).fetchall() == []


def test_what_was_collected_before_is_deleted(people: People) -> None:
    know(people)
    if people.conn.info.server_version < 180000:
        people.conn.execute("reset role")  # only a superuser may
    assert people.one(OFF)["n"] == 2  # the column's target, and its statistics
    assert people.conn.execute(KNOWN).fetchall() == []


def test_a_table_of_another_role_is_left_alone(own_dsns: tuple[str, str]) -> None:
    owner, admin = own_dsns
    with psycopg.connect(admin) as conn:
        conn.execute("create table public.theirs as select n from generate_series(1, 99) n; analyze public.theirs")
        conn.execute("grant select on public.theirs to public")
    with psycopg.connect(owner) as conn:
        assert conn.execute(OFF).fetchone() == (0,)
        assert conn.execute("select count(*) from pg_stats where tablename = 'theirs'").fetchone() == (1,)


def test_the_owner_of_an_older_server_at_least_stops_the_collecting(people: People) -> None:
    know(people)
    kept = people.conn.info.server_version < 180000
    assert people.one(OFF)["n"] == 2 - kept
    assert people.one(COLLECTED, "public.projects")["n"] == 0
    assert len(people.conn.execute(KNOWN).fetchall()) == kept


def test_no_call_waits_while_it_runs(own_dsn: str) -> None:
    """Its lock lets others read and write the table."""
    with psycopg.connect(own_dsn) as conn, psycopg.connect(own_dsn) as other:
        conn.execute("alter table public.usage_logs alter model set statistics 7")
        assert conn.execute(OFF).fetchone()[0] >= 1
        other.execute("set lock_timeout = '1ms'")
        other.execute("lock table public.usage_logs in row exclusive mode")


def test_nobody_may_run_it(people: People) -> None:
    assert executors(people.conn, "statistics_off") == set()
