"""What an analyst with a login of her own might try on the server around the data: catalog, sessions, locks, disk."""

from __future__ import annotations

import json

import psycopg
from intruder import ann, refused, value
from isolation.world import World

from webapp import db
from webapp.postgres import migrations as migrate

__all__ = ["ann"]


def test_statistics_of_values_are_hidden(everyone: World, ann: psycopg.Connection) -> None:
    everyone.owner.execute("analyze public.projects; analyze public.usage_logs")
    tables = "('projects', 'usage_logs', 'api_keys', 'model_prices')"
    assert value(everyone.owner, f"select count(*) from pg_stats where tablename in {tables}") > 0
    assert value(ann, f"select count(*) from pg_stats where tablename in {tables}") == 0
    refused(ann, "table pg_statistic")


def test_what_others_ask_is_hidden_and_their_names_say_nothing(everyone: World, ann: psycopg.Connection) -> None:
    everyone["bob"].conn.execute("select 'a question of Evil''s'")
    shown = json.dumps(ann.execute("select usename, application_name, query from pg_stat_activity").fetchall()).lower()
    assert "question" not in shown and "evil" not in shown and "acme" not in shown


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


def test_nothing_is_told_to_whoever_listens_and_no_call_waits_for_a_lock_of_hers(
    everyone: World, ann: psycopg.Connection
) -> None:
    """NOTIFY reaches every login, and any login may hold any advisory lock: the product uses neither on its way."""
    found = everyone.owner.execute("""
        select p.oid::regprocedure::text from pg_proc p,
            unnest(array['authenticated', 'spendai_proxy', 'spendai_auth']) r
        where pronamespace::regnamespace::text in ('app', 'private', 'local_auth')
            and (prosrc ~* 'pg_notify|^ *notify '
                or prosrc ~* 'pg_(try_)?advisory' and has_function_privilege(r, p.oid, 'execute'))
    """).fetchall()
    assert found == []
    ann.execute("select pg_advisory_lock(n) from generate_series(1, 100) n")
    ann.execute("select pg_advisory_lock(%s)", [migrate.LOCK])
    everyone["proxy"].conn.execute("set statement_timeout = '5s'")
    everyone["proxy"].conn.execute("select * from app.settle_calls('[]')")
    ann.execute("select pg_advisory_unlock_all()")


def test_a_lock_she_holds_idle_is_of_the_weakest_kind_and_ends_by_itself(ann: psycopg.Connection) -> None:
    for mode in ("row share", "row exclusive", "share update exclusive", "share", "exclusive", "access exclusive"):
        with ann.transaction(force_rollback=True):
            refused(ann, f"lock table usage_logs in {mode} mode")
    assert value(ann, "show idle_in_transaction_session_timeout") == "1min"


def test_large_objects_can_be_made_after_switching_read_only_off_but_foreign_ones_not_read(
    everyone: World, ann: psycopg.Connection
) -> None:
    """The one thing an analyst can fill the disk with; it goes when the login is removed."""
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
