"""The rules of the house that a machine can check, from the catalog of a migrated database."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from people import ROLES

# Each query finds the things that break a rule; a rule holds when it finds nothing.
EVERYBODY = f"array{list(ROLES)}"
OURS = "('public', 'app', 'private', 'local_auth')"
RULES = {
    "every view has the rights of its reader": """
        select oid::regclass from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace
            and not coalesce(reloptions, '{}') @> '{security_invoker=true}'""",
    "there is no materialized view in public": """
        select oid::regclass from pg_class where relkind in ('m', 'f') and relnamespace = 'public'::regnamespace""",
    "every table has row level security": f"""
        select oid::regclass from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text in {OURS}
            and not relrowsecurity""",
    "every table in public has a policy": """
        select oid::regclass from pg_class c where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
            and not exists (select from pg_policy p where p.polrelid = c.oid)""",
    "every policy says for whom it is": "select polname, polrelid::regclass from pg_policy where polroles = '{0}'",
    "no table has two permissive policies for one role and command": """
        select polrelid::regclass, polcmd, r from pg_policy, unnest(polroles) r where polpermissive
        group by 1, 2, 3 having count(*) > 1""",
    "a policy asks who is there once per query and not per row": r"""
        select polname, polrelid::regclass from pg_policy,
            concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as expression
        where regexp_replace(expression, '\( ?SELECT (app|auth)\.\w+\(\) AS \w+\)', '', 'gi')
            ~* '(app|auth)\.\w+\(|current_setting'""",
    "no policy trusts what people can write themselves": """
        select polname, polrelid::regclass from pg_policy
        where pg_get_expr(polqual, polrelid) ~ 'user_metadata|raw_user'""",
    "no function may be run by PUBLIC": f"""
        select p.oid::regprocedure from pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
        where pronamespace::regnamespace::text in {OURS} and a.grantee = 0 and prorettype <> 'trigger'::regtype""",
    "no trigger function can be used by anyone else": f"""
        select p.oid::regprocedure, a.grantee::regrole from pg_proc p, aclexplode(proacl) a
        where pronamespace::regnamespace::text in {OURS} and prorettype = 'trigger'::regtype
            and a.grantee <> 0 and a.grantee <> proowner""",
    "anon and service_role may run nothing of ours": f"""
        select p.oid::regprocedure, r from pg_proc p, unnest(array['anon', 'service_role']) r
        where pronamespace::regnamespace::text in {OURS} and prorettype <> 'trigger'::regtype
            and has_function_privilege(r, p.oid, 'execute')""",
    "every function has an empty search_path": f"""
        select oid::regprocedure from pg_proc where pronamespace::regnamespace::text in {OURS}
            and not coalesce(proconfig, '{{}}') @> array['search_path=""']""",
    "functions are in app, triggers in private, nothing in public": """
        select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
            or pronamespace = 'private'::regnamespace and prorettype <> 'trigger'::regtype""",
    "no name has two functions": """
        select proname from pg_proc where pronamespace = 'app'::regnamespace group by 1 having count(*) > 1""",
    "no function has a default argument": """
        select oid::regprocedure from pg_proc where pronamespace = 'app'::regnamespace and pronargdefaults > 0""",
    "every table and view has a comment": f"""
        select oid::regclass from pg_class where relkind in ('r', 'p', 'v') and not relispartition
            and relnamespace::regnamespace::text in {OURS} and obj_description(oid, 'pg_class') is null""",
    "every column of a view has a comment": """
        select attrelid::regclass, attname from pg_attribute join pg_class c on c.oid = attrelid
        where relkind = 'v' and relnamespace = 'public'::regnamespace and attnum > 0
            and col_description(attrelid, attnum) is null""",
    "every function has a comment": f"""
        select oid::regprocedure from pg_proc where pronamespace::regnamespace::text in {OURS}
            and obj_description(oid, 'pg_proc') is null""",
    "every schema and role of ours has a comment": """
        select nspname from pg_namespace where nspname in ('app', 'private', 'local_auth')
            and obj_description(oid, 'pg_namespace') is null
        union all
        select rolname from pg_roles where rolname like 'spendai%' and shobj_description(oid, 'pg_authid') is null""",
    "every foreign key has an index that begins with its columns": f"""
        select conname, conrelid::regclass from pg_constraint c where contype = 'f'
            and connamespace::regnamespace::text in {OURS}
            and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
                and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(c.conkey)] @> c.conkey)""",
    "no table has two equal indexes": f"""
        select indrelid::regclass, min(indexrelid::regclass::text) from pg_index join pg_class c on c.oid = indrelid
        where c.relnamespace::regnamespace::text in {OURS}
        group by 1, indkey, indclass::text, indoption::text, pg_get_expr(indexprs, indrelid),
            pg_get_expr(indpred, indrelid)
        having count(*) > 1""",
    "every table has a primary key": f"""
        select oid::regclass from pg_class c where relkind in ('r', 'p') and relnamespace::regnamespace::text in {OURS}
            and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)""",
    "nobody reads a hash or a ciphertext": f"""
        select attrelid::regclass, attname, r.rolname from pg_attribute a join pg_class c on c.oid = attrelid
            cross join pg_roles r
        where relkind in ('r', 'p', 'v') and relnamespace::regnamespace::text in {OURS} and attnum > 0
            and attname ~ 'hash|ciphertext|^tokens$|password|secret' and r.rolname = any ({EVERYBODY})
            and has_column_privilege(r.rolname, attrelid, attnum, 'select')""",
    "nobody but people and analysts, for their own rows, has any right to a table": f"""
        select c.oid::regclass, r.rolname from pg_class c cross join pg_roles r
        where relkind in ('r', 'p', 'v', 'S') and relnamespace::regnamespace::text in {OURS}
            and r.rolname = any ({EVERYBODY})
            and (has_any_column_privilege(r.rolname, c.oid, 'insert, update, references')
                or relkind <> 'S' and has_table_privilege(r.rolname, c.oid, 'delete, truncate, trigger')
                or r.rolname not in ('authenticated', 'spendai_analyst')
                and has_any_column_privilege(r.rolname, c.oid, 'select'))""",
    "analysts see no people": """
        select t from unnest(array['members', 'invitations', 'audit_log']) t
        where has_any_column_privilege('spendai_analyst', 'public.' || t, 'select')""",
    "every view is there for people and for analysts": """
        select c.oid::regclass, r from pg_class c, unnest(array['authenticated', 'spendai_analyst']) r
        where relkind = 'v' and relnamespace = 'public'::regnamespace
            and not has_table_privilege(r, c.oid, 'select')""",
    "nobody but the owner may make anything in our schemas": f"""
        select nspname, r.rolname from pg_namespace n cross join pg_roles r
        where nspname in {OURS} and r.rolname = any ({EVERYBODY})
            and has_schema_privilege(r.rolname, n.oid, 'create')
        union all
        select 'private', r.rolname from pg_roles r where r.rolname = any ({EVERYBODY})
            and has_schema_privilege(r.rolname, 'private', 'usage')""",
    "no login role has more than its name says": """
        select rolname from pg_roles where rolname like 'spendai%'
            and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication or rolinherit)""",
    "only spendai_web may become somebody": """
        select roleid::regrole, member::regrole from pg_auth_members
        where member::regrole::text like 'spendai%'
            and (roleid::regrole::text, member::regrole::text) <> ('authenticated', 'spendai_web')""",
    "no table that people read has statistics, which EXPLAIN tells to all": r"""
        select attrelid::regclass, attname from pg_attribute join pg_class c on c.oid = attrelid
        where relkind in ('r', 'p') and attnum > 0 and not attisdropped and attstattarget is distinct from 0
            and (relnamespace = 'public'::regnamespace
                or relnamespace = 'private'::regnamespace and relname ~ '^usage_logs_')
        union all
        select attrelid::regclass, attname from pg_index
            join pg_attribute on attrelid = indexrelid and indkey[attnum - 1] = 0 join pg_class c on c.oid = indrelid
        where relnamespace = 'public'::regnamespace and attstattarget is distinct from 0
        union all
        select stxrelid::regclass, stxname from pg_statistic_ext""",
    "money is numeric and moments have a time zone": f"""
        select attrelid::regclass, attname, atttypid::regtype from pg_attribute join pg_class c on c.oid = attrelid
        where relkind in ('r', 'p', 'v') and relnamespace::regnamespace::text in {OURS} and attnum > 0
            and (atttypid::regtype::text in ('real', 'double precision', 'money', 'timestamp without time zone')
                or attname ~ '(^|_)(cost|price|delta)$' and atttypid::regtype::text <> 'numeric')""",
}  # fmt: skip
# What breaks each rule; run and rolled back, so that a rule that can never fail is noticed.
BREAKS = {
    "every view has the rights of its reader": "create view public.v as select 1 as x",
    "there is no materialized view in public": "create materialized view public.m as select 1 as x",
    "every table has row level security": "create table private.t ()",
    "every table in public has a policy": "create table public.t ()",
    "every policy says for whom it is": "create policy p on public.projects for select using (false)",
    "no table has two permissive policies for one role and command": (
        "create policy p on public.projects for select to authenticated using (false)"
    ),
    "a policy asks who is there once per query and not per row": (
        "create policy p on public.projects for select to anon using (org_id = app.current_org_id())"
    ),
    "no policy trusts what people can write themselves": (
        "create policy p on public.projects to anon using ((select auth.jwt() -> 'user_metadata' ->> 'org')"
        " = org_id::text)"
    ),
    "no function may be run by PUBLIC": "grant execute on function app.me to public",
    "no trigger function can be used by anyone else": "grant execute on function private.refuse_change to anon",
    "anon and service_role may run nothing of ours": "grant execute on function app.me to anon",
    "every function has an empty search_path": "alter function app.me reset search_path",
    "functions are in app, triggers in private, nothing in public": (
        "create function public.f() returns int language sql as 'select 1'"
    ),
    "no name has two functions": "create function app.me(int) returns int language sql as 'select 1'",
    "no function has a default argument": "create function app.f(int default 1) returns int language sql as 'select 1'",
    "every table and view has a comment": "comment on table private.install is null",
    "every column of a view has a comment": "comment on column public.calls.cost is null",
    "every function has a comment": "comment on function app.me() is null",
    "every schema and role of ours has a comment": "comment on schema app is null",
    "every foreign key has an index that begins with its columns": "drop index public.members_org_id_idx",
    "no table has two equal indexes": "create index on public.members (org_id)",
    "every table has a primary key": "create table private.t ()",
    "nobody reads a hash or a ciphertext": "grant select on public.api_keys to authenticated",
    "nobody but people and analysts, for their own rows, has any right to a table": (
        "grant update (name) on public.projects to authenticated"
    ),
    "analysts see no people": "grant select (email) on public.members to spendai_analyst",
    "every view is there for people and for analysts": "revoke select on public.calls from spendai_analyst",
    "nobody but the owner may make anything in our schemas": "grant usage on schema private to spendai_proxy",
    "no login role has more than its name says": "alter role spendai_web inherit",
    "only spendai_web may become somebody": "grant authenticated to spendai_proxy",
    "no table that people read has statistics, which EXPLAIN tells to all": (
        "create index on public.projects (upper(name))"
    ),
    "money is numeric and moments have a time zone": "alter table public.projects add column cost double precision",
}


def found(db: psycopg.Connection, rule: str) -> list[dict[str, Any]]:
    return db.execute(RULES[rule]).fetchall()


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(db: psycopg.Connection, rule: str) -> None:
    assert found(db, rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_would_notice(db: psycopg.Connection, rule: str) -> None:
    db.execute(BREAKS[rule])
    assert found(db, rule) != []
