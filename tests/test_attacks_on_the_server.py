"""What an analyst with a login of her own might try on the server around the data: catalog, sessions, locks, disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from analysts import new_analyst
from intruder import ann, made, refused, value
from isolation.world import World
from psycopg.conninfo import make_conninfo

from webapp import db
from webapp.postgres import migrations as migrate
from webapp.postgres.cluster import Cluster

__all__ = ["ann"]


def test_statistics_of_values_are_hidden(everyone: World, ann: psycopg.Connection) -> None:
    """There are none (app.statistics_off); where a column has some, as in an older install, pg_stats hides them."""
    query = "select count(*) from pg_stats where tablename in ('projects', 'usage_logs', 'api_keys', 'model_prices')"
    everyone.owner.execute("analyze public.projects; analyze public.usage_logs")
    assert value(everyone.owner, query) == 0
    with made(everyone, "alter table public.projects alter name set statistics 9; analyze public.projects",
              "reset role; select app.statistics_off(); set role postgres"):  # fmt: skip
        assert value(everyone.owner, query) > 0
        assert value(ann, query) == 0
    for table in ("pg_stats_ext", "pg_stats_ext_exprs"):
        assert value(ann, f"select count(*) from {table}") == 0
    for table in ("pg_statistic", "pg_statistic_ext_data"):
        refused(ann, f"table {table}")


@contextmanager
def granted(everyone: World, *functions: str) -> Iterator[None]:
    """As on a server where no superuser has taken these functions from PUBLIC (db/superuser.sql)."""
    names = ", ".join(functions)
    with made(everyone, f"reset role; grant execute on function {names} to spendai_analyst; set role postgres",
              f"reset role; revoke execute on function {names} from spendai_analyst; set role postgres"):  # fmt: skip
        yield


def test_what_others_ask_is_hidden_and_their_names_say_nothing(everyone: World, ann: psycopg.Connection) -> None:
    everyone["bob"].conn.execute("select 'a question of Evil''s'")
    query = "select usename, application_name, query from pg_stat_activity"
    with granted(everyone, "pg_stat_get_activity(integer)"):
        shown = json.dumps(ann.execute(query).fetchall()).lower()
    assert "question" not in shown and "evil" not in shown and "acme" not in shown


@pytest.mark.parametrize("query", [
    "table pg_stat_activity", "table pg_stat_user_tables", "table pg_stat_database", "table pg_stat_wal",
    "table pg_locks", "table pg_stat_io", "select txid_current()", "select pg_current_xact_id()",
    "select pg_current_snapshot()", "select pg_current_wal_lsn()",
    "select pg_stat_get_tuples_inserted('usage_logs'::regclass)",
])  # fmt: skip
def test_how_much_others_do_is_not_counted_for_her(ann: psycopg.Connection, query: str) -> None:
    refused(ann, query, "42501", "42P01")


@pytest.mark.parametrize("statement", [
    "select count(pg_advisory_lock(1, g)) from generate_series(1, 1000) g", "select pg_try_advisory_lock_shared(1)",
    "select pg_advisory_xact_lock(g) from generate_series(1, 1000) g",
    "select pg_logical_emit_message(false, 'x', 'y')",
    "select lo_create(0)", "select lo_from_bytea(0, 'x')", "select lo_creat(-1)", "select pg_export_snapshot()",
    "set temp_file_limit = -1", "alter role session_user set temp_file_limit = -1", "reset temp_file_limit",
    "alter role session_user reset temp_file_limit", "set max_stack_depth = '7MB'", "set log_min_messages = 'log'",
])  # fmt: skip
def test_what_would_fill_the_lock_table_or_the_disk_of_everybody_is_refused(
    ann: psycopg.Connection, statement: str
) -> None:
    refused(ann, statement)


def test_her_temporary_files_are_limited_whatever_she_resets(everyone: World) -> None:
    dsn = new_analyst(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary"), "Acme")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute("alter role session_user reset all")
    with psycopg.connect(dsn) as conn:
        assert conn.execute("show statement_timeout").fetchone() == ("0",)
        assert conn.execute("show temp_file_limit").fetchone() == ("1GB",)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            conn.execute("prepare transaction 'x'")


def test_she_writes_nothing_to_the_servers_log_whatever_she_resets(everyone: World, cluster: Cluster) -> None:
    """`raise log` in a loop would fill the disk with it."""
    dsn = new_analyst(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary"), "Acme")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute("alter role session_user reset all")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("do $$ begin raise log 'said by an analyst'; end $$")
    everyone.owner.execute("reset role; do $$ begin raise log 'said by a superuser'; end $$; set role postgres")
    log = cluster.log.read_text(errors="replace")
    assert "said by a superuser" in log and "said by an analyst" not in log


def test_she_enters_no_other_database_of_the_server(everyone: World) -> None:
    """There the functions are open, and locks and disk are those of the server."""
    for name in ("template1", "template0"):
        with pytest.raises(psycopg.OperationalError, match=r"permission denied|not currently accepting"):
            psycopg.connect(make_conninfo(everyone["ann"].dsn, dbname=name))


def test_what_every_login_can_read_of_the_catalog_holds_no_name_and_no_secret(
    everyone: World, ann: psycopg.Connection
) -> None:
    config = [
        *db.passwords(everyone.config).values(),
        everyone.config.secret_key,
        "SCRAM-SHA-256$4096:",
        "evil",
        "acme",
    ]
    for query in ("select rolname, rolconfig from pg_roles", "select prosrc from pg_proc where pronamespace >= 16384",
                  "select setconfig from pg_db_role_setting", "select description from pg_shdescription",
                  "select name, setting from pg_settings", "select * from pg_database"):  # fmt: skip
        shown = json.dumps(ann.execute(query).fetchall(), default=str).lower()
        assert [word for word in config if word.lower() in shown] == []


def test_nothing_is_told_to_whoever_listens_and_no_work_waits_for_a_lock_of_hers(
    everyone: World, ann: psycopg.Connection
) -> None:
    """NOTIFY reaches every login, and any login may hold advisory locks on some servers: the product uses neither."""
    found = everyone.owner.execute("""
        select p.oid::regprocedure::text from pg_proc p,
            unnest(array['authenticated', 'spendai_proxy', 'spendai_auth']) r
        where pronamespace::regnamespace::text in ('app', 'private', 'local_auth')
            and (prosrc ~* 'pg_notify|^ *notify '
                or prosrc ~* 'pg_(try_)?advisory' and has_function_privilege(r, p.oid, 'execute')
                or prosrc ~* 'pg_advisory')
    """).fetchall()
    assert found == []
    with granted(everyone, "pg_advisory_lock(bigint)", "pg_advisory_unlock_all()"):
        ann.execute("select pg_advisory_lock(n) from generate_series(1, 100) n")
        ann.execute("select pg_advisory_lock(n) from generate_series(7263411000, 7263411010) n")
        everyone["proxy"].conn.execute("set statement_timeout = '60s'")
        everyone["proxy"].conn.execute("select * from app.settle_calls('[]')")
        with everyone.owner.transaction(force_rollback=True):
            everyone.owner.execute("set local lock_timeout = '60s'")
            everyone.owner.execute("select * from app.price_sync('[]', '{}', true)")
            everyone.owner.execute("select * from app.reprice(now() - interval '1 day', now(), 'x', true)")
        assert migrate.migrate(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary")) == []
        ann.execute("select pg_advisory_unlock_all()")


def test_a_lock_she_holds_idle_is_of_the_weakest_kind_and_ends_by_itself(ann: psycopg.Connection) -> None:
    for mode in ("row share", "row exclusive", "share update exclusive", "share", "exclusive", "access exclusive"):
        with ann.transaction(force_rollback=True):
            refused(ann, f"lock table usage_logs in {mode} mode")
    assert value(ann, "show idle_in_transaction_session_timeout") == "1min"


def test_a_transaction_of_hers_that_lasts_is_ended_whatever_her_timeouts(everyone: World) -> None:
    """It would hold up flask migrate and flask retention, or keep a core busy."""
    dsn = new_analyst(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary"), "Acme")
    end = "select app.analysts_end_long(%s) as n"
    with psycopg.connect(dsn, autocommit=True) as busy, psycopg.connect(dsn, autocommit=True) as quiet:
        busy.execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0")
        busy.execute("begin; lock table usage_logs in access share mode")
        assert everyone["auth"].conn.execute(end, ["1 hour"]).fetchone()["n"] == 0
        assert everyone["auth"].conn.execute(end, ["0 s"]).fetchone()["n"] == 1
        with pytest.raises(psycopg.OperationalError):
            busy.execute("select 1")
        quiet.execute("select 1")  # between transactions she holds nothing


def test_where_she_can_fill_the_lock_table_her_session_is_ended_although_it_is_full(everyone: World) -> None:
    """As on a server where no superuser has taken the functions away: these locks outlast her transaction."""
    dsn = new_analyst(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary"), "Acme")
    end, auth = "select app.analysts_end_long('1 hour') as n", everyone["auth"].conn
    with granted(everyone, "pg_advisory_lock(integer, integer)"), psycopg.connect(dsn, autocommit=True) as greedy:
        assert value(auth, end) == 0  # a worker runs it every 20 seconds, so what it reads of roles is in its cache
        with pytest.raises(psycopg.errors.OutOfMemory):
            greedy.execute("select count(pg_advisory_lock(1, g)) from generate_series(1, 1000000) g")
        assert value(auth, end) == 1
        with pytest.raises(psycopg.OperationalError):
            greedy.execute("select 1")
    everyone["proxy"].conn.execute("select * from app.settle_calls('[]')")


def test_where_large_objects_can_be_made_foreign_ones_are_not_read(everyone: World, ann: psycopg.Connection) -> None:
    """As on a server where no superuser has taken the functions away; they go when the login is removed."""
    with granted(everyone, "lo_from_bytea(oid, bytea)", "lo_create(oid)"):
        made_by_bob = value(everyone["bob"].conn, "select lo_from_bytea(0, 'secret of Evil''s')")
        refused(ann, f"select lo_get({made_by_bob})")
        refused(ann, f"select lo_unlink({made_by_bob})")
        mine = value(ann, "select lo_create(0)")
        ann.execute("select lo_unlink(%s)", [mine])
        everyone["bob"].conn.execute("select lo_unlink(%s)", [made_by_bob])


def test_she_ends_nobodys_session_and_learns_nothing_of_the_machine(everyone: World, ann: psycopg.Connection) -> None:
    for victim in ("web", "bob", "proxy"):
        for end in ("pg_terminate_backend", "pg_cancel_backend"):
            refused(ann, f"select {end}({everyone[victim].conn.info.backend_pid})")
    for name in ("data_directory", "hba_file", "config_file", "unix_socket_directories"):
        refused(ann, f"show {name}")
    refused(ann, "select dblink('', '')", "42883")


def test_no_sequence_tells_how_much_others_do(everyone: World, ann: psycopg.Connection) -> None:
    refused(ann, "select last_value from model_prices_id_seq")
    refused(ann, "select nextval('model_prices_id_seq')")
    counted = everyone.owner.execute("""
        select c.oid::regclass::text as name from pg_attribute a join pg_class c on c.oid = attrelid
        where attidentity <> '' and has_column_privilege('spendai_analyst', attrelid, attnum, 'select')""").fetchall()
    assert [row["name"] for row in counted] == ["model_prices"]  # whose own rows are few and made by hand
