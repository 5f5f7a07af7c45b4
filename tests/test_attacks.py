"""What an analyst with a login of her own might try on data and roles; everything of Evil's stays out of her reach."""

from __future__ import annotations

import json

import psycopg
import pytest
from analysts import new_analyst
from intruder import ORGANIZATIONS, ann, made, only_acme, refused, value
from isolation.world import World
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["ann"]


def test_forged_claims_show_nothing_new(everyone: World, ann: psycopg.Connection) -> None:
    eve = everyone["eve"].claims["sub"]
    for name, forged in (("request.jwt.claims", json.dumps({"sub": eve, "role": "authenticated"})),
                         ("request.jwt.claim.sub", eve), ("role", "spendai_analyst")):  # fmt: skip
        ann.execute("select set_config(%s, %s, false)", [name, forged])
        assert only_acme(everyone, ann)
    assert value(ann, "select count(*) from spend_daily where org_id <> (select id from organizations)") == 0


@pytest.mark.parametrize("role", ["authenticated", "anon", "service_role", "postgres", "supabase_admin", "spendai_web",
                                  "spendai_proxy", "spendai_auth", "authenticator", "pg_read_all_data"])  # fmt: skip
def test_she_can_become_nobody_else(ann: psycopg.Connection, role: str) -> None:
    refused(ann, f"set role {role}")
    refused(ann, f"set session authorization {role}")


def test_neither_can_she_become_another_analyst_nor_let_somebody_in(everyone: World, ann: psycopg.Connection) -> None:
    bob = conninfo_to_dict(everyone["bob"].dsn)["user"]
    for statement in (f"set role {bob}", f"alter role {bob} password 'x'", "create role x login",
                      f"grant {bob} to spendai_analyst", "alter role session_user connection limit 100",
                      "alter role spendai_analyst login", "delete from private.analyst_logins"):  # fmt: skip
        refused(ann, statement)


def test_the_owner_in_the_shoes_of_the_group_sees_nothing(everyone: World) -> None:
    with everyone.owner.transaction(force_rollback=True):
        everyone.owner.execute("set local role spendai_analyst")
        assert value(everyone.owner, "select count(*) from usage_logs") == 0


def test_writing_fails_by_rights_also_where_read_only_is_off(ann: psycopg.Connection) -> None:
    for statement in ("update usage_logs set cost = 0", "delete from usage_logs", "truncate usage_logs",
                      "insert into projects (org_id, name) select org_id, 'x' from projects",
                      "update spend_daily set cost = 0", "select * from projects for update",
                      "select * from projects for share", "merge into projects p using projects q on true when matched"
                      " then delete"):  # fmt: skip
        refused(ann, statement, "42501", "55000")


def test_she_starts_read_only_with_limits_that_she_may_lift_but_no_fourth_session(everyone: World) -> None:
    dsn = new_analyst(make_conninfo(everyone["ann"].dsn, user="postgres", password="temporary"), "Acme", sessions=3)
    sessions = [psycopg.connect(dsn, autocommit=True) for _ in range(3)]
    defaults = {"default_transaction_read_only": "on", "statement_timeout": "30s", "search_path": "public, pg_temp",
                "idle_in_transaction_session_timeout": "1min"}  # fmt: skip
    assert {name: sessions[0].execute(f"show {name}").fetchone()[0] for name in defaults} == defaults
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        psycopg.connect(dsn)
    sessions[0].execute("set default_transaction_read_only = off")
    sessions[0].execute("alter role session_user set statement_timeout = 0")
    refused(sessions[0], "alter role session_user connection limit -1")
    for session in sessions:
        session.close()


@pytest.mark.parametrize("query", [
    "select key_hash from api_keys", "select * from api_keys", "select k from api_keys k", "table members",
    "table invitations", "table audit_log", "table private.provider_keys", "table private.analyst_logins",
    "table private.web_sessions", "table auth.users", "table pg_authid", "table pg_shadow", "select auth.uid()",
    "select app.analyst_org_id()", "select app.current_org_id()", "table pg_largeobject", "table pg_user_mapping",
    "select * from private.usage_logs_default", "select local_auth.find_login('eve@evil.test')",
])  # fmt: skip
def test_hashes_people_secrets_and_functions_are_out_of_reach(ann: psycopg.Connection, query: str) -> None:
    refused(ann, query)


def test_copy_obeys_the_same_rows_and_columns(everyone: World, ann: psycopg.Connection) -> None:
    for what in ("projects (org_id)", "(select org_id from usage_logs)", "(select org_id from calls)"):
        with ann.cursor().copy(f"copy {what} to stdout") as copy:
            assert {bytes(line).decode().strip() for line in copy} == {str(everyone.acme)}
    with ann.cursor().copy("copy usage_logs (org_id) to stdout") as copy:
        assert list(copy) == []  # Postgres reads a partitioned table without its partitions here
    for statement in ("copy api_keys to stdout", "copy projects to program 'cat'", "copy projects to '/dev/shm/x'",
                      "copy projects from program 'id'", "select pg_read_file('/etc/passwd')", "select pg_ls_dir('.')",
                      "select lo_import('/etc/passwd')", "select pg_stat_file('.')",
                      "select * from pg_hba_file_rules"):  # fmt: skip
        refused(ann, statement)


@pytest.mark.parametrize("statement", [
    "create temporary table t (n int)", "create function pg_temp.f() returns int language sql as 'select 1'",
    "create schema mine", "create table t (n int)", "create view v as select 1", "create extension dblink",
    "create function f() returns int language sql as 'select 1'", "create database mine", "create publication p",
    "alter system set log_statement = 'all'", "create foreign data wrapper w", "load 'dblink'",
    "set session_replication_role = replica", "alter database postgres set search_path = x",
])  # fmt: skip
def test_she_makes_nothing_that_could_work_for_her(ann: psycopg.Connection, statement: str) -> None:
    refused(ann, statement, "42501", "0A000", "42704", "58P01")


def test_a_table_of_hers_in_front_of_ours_hijacks_no_function(everyone: World, ann: psycopg.Connection) -> None:
    database = everyone.owner.info.dbname
    with made(everyone, f"grant temporary on database {database} to spendai_analyst",
              f"revoke temporary on database {database} from spendai_analyst"):  # fmt: skip
        ann.execute("create temporary table analyst_logins (role_name name, org_id uuid)")
        ann.execute("insert into analyst_logins values (session_user, %s)", [everyone.evil])
        ann.execute("create temporary table organizations as select %s::uuid as id, 'openai' as books", [everyone.evil])
        ann.execute("create function pg_temp.eq(uuid, uuid) returns boolean language sql as 'select true'")
        ann.execute("create operator pg_temp.= (function = pg_temp.eq, leftarg = uuid, rightarg = uuid)")
        for path in ("pg_temp, public, pg_catalog", "pg_temp, private, app, public"):
            ann.execute(f"set search_path = {path}")
            assert value(ann, ORGANIZATIONS) == str(everyone.acme)
            assert value(ann, "select count(*) from public.spend_daily where pg_catalog.uuid_ne"
                              f"(org_id, '{everyone.acme}')") == 0  # fmt: skip
        ann.execute("discard temp")


LEAK = """
create function public.leak(text) returns boolean language plpgsql cost 0.0000001
    as $$ begin raise notice '%', $1; return true; end $$;
grant execute on function public.leak to spendai_analyst
"""


@pytest.mark.parametrize("query", ["select from usage_logs where leak(org_id::text)",
                                   "select from bookings where leak(org_id::text)",
                                   "select from calls where leak(org_id::text)",
                                   "select from spend_by_tag where leak(org_id::text)"])  # fmt: skip
def test_a_condition_that_tells_what_it_sees_sees_her_own_rows(
    everyone: World, ann: psycopg.Connection, query: str
) -> None:
    told = set()
    ann.add_notice_handler(lambda notice: told.add(notice.message_primary))
    with made(everyone, LEAK, "drop function public.leak"):
        ann.execute("set client_min_messages = notice")
        ann.execute(query)
    assert told == {str(everyone.acme)}


@pytest.mark.parametrize("query", [
    "select model::int from usage_logs", "select 1 / (length(model) - length(model)) from usage_logs",
    "select (tags ->> 'team')::int from usage_logs", "select end_user::uuid from calls",
    "select name::int from projects",
])  # fmt: skip
def test_error_texts_quote_her_own_values_only(ann: psycopg.Connection, query: str) -> None:
    assert "evil" not in refused(ann, query, "22P02", "22012").lower()


def test_no_key_of_one_organization_points_at_a_project_of_another(everyone: World) -> None:
    insert = """
        insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash)
        select gen_random_uuid(), %s, id, 'x', 'x', sha256(id::text::bytea) from public.projects where org_id = %s
    """
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        everyone.owner.execute(insert, [everyone.acme, everyone.evil])


def test_nothing_is_unique_across_organizations_that_somebody_could_guess(everyone: World) -> None:
    """A duplicate-key error would reveal that another organization uses the name. Ids and hashes cannot be guessed."""
    rows = everyone.owner.execute("""
        select i.indexrelid::regclass::text as index, array(
            select attname::text from pg_attribute where attrelid = i.indrelid and attnum = any (i.indkey)) as columns
        from pg_index i join pg_class c on c.oid = i.indrelid
        where i.indisunique and c.relnamespace = 'public'::regnamespace and not c.relispartition
            and exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id')
    """).fetchall()
    unknown = {"id", "user_id", "call_id", "api_key_id", "key_hash", "token_hash"}
    guessable = [row["index"] for row in rows if "org_id" not in row["columns"] and not unknown & set(row["columns"])]
    assert len(rows) > 5 and guessable == []


def test_a_plan_shows_no_foreign_value(everyone: World, ann: psycopg.Connection) -> None:
    everyone.owner.execute("analyze public.usage_logs")
    explain = "explain (analyze, verbose, format text) select * from usage_logs where org_id = %s"
    plan = [row["QUERY PLAN"] for row in ann.execute(explain, [everyone.evil]).fetchall()]
    assert " rows=0" in plan[0].split("actual")[1] and "evil" not in " ".join(plan).lower()
