"""The migrations on a database shaped like a Supabase project: GoTrue's schema auth, everything granted by default."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from supabase_shape import supabase_database
from test_house import RULES

from webapp.postgres.cluster import Cluster
from webapp.postgres.migrations import migrate

# Rights of every object of ours, spelled out; owners and defaults included.
# All months of usage_logs under one name: the other database may have been made before a month ended.
RIGHTS = r"""
select distinct kind, regexp_replace(name, '_\d{4}_\d\d', '_month'),
    array(select a::text from aclexplode(acl) a order by 1) as rights from (
    select relkind::text as kind, oid::regclass::text as name,
        coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) as acl
    from pg_class where relkind in ('r', 'p', 'v', 'S') and relnamespace::regnamespace::text = any (%(ours)s)
    union all
    select 'column', attrelid::regclass || '.' || attname, attacl from pg_attribute join pg_class c on c.oid = attrelid
    where attacl is not null and relnamespace::regnamespace::text = any (%(ours)s)
    union all
    select 'function', oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)) from pg_proc
    where pronamespace::regnamespace::text = any (%(ours)s)
    union all
    select 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace
    where nspname in ('app', 'private')
) found order by 1, 2, 3
"""


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Iterator[str]:
    """The owner's connection string of a migrated project."""
    owner, _ = supabase_database(cluster, "spendai_project")
    migrate(owner)
    yield owner


def rights(dsn: str) -> list[tuple[str, str, list[str]]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(RIGHTS, {"ours": ["public", "app", "private"]}).fetchall()


def test_migrations_run_as_an_ordinary_owner_and_make_no_passwords_of_their_own(project: str) -> None:
    with psycopg.connect(project) as conn:
        assert conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (False,)
        assert conn.execute("select to_regnamespace('local_auth')").fetchone() == (None,)
        assert conn.execute("select relowner::regrole::text from pg_class where oid = 'auth.users'::regclass"
                            ).fetchone() == ("supabase_auth_admin",)  # fmt: skip
    assert migrate(project, check=True) == migrate(project) == []


def test_everybody_ends_with_the_same_rights_as_without_supabase(
    project: str, stack_dsns: Callable[[str], tuple[str, str]]
) -> None:
    ours, theirs = rights(stack_dsns("spendai_embedded_shape")[0]), rights(project)
    assert len(ours) > 100
    assert theirs == ours


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_of_the_house_hold(project: str, rule: str) -> None:
    with psycopg.connect(project, row_factory=dict_row) as conn:
        assert conn.execute(RULES[rule]).fetchall() == []


def test_a_person_of_supabases_gets_an_organization_and_sees_it_alone(cluster: Cluster, project: str) -> None:
    people = [uuid4(), uuid4()]
    with psycopg.connect(cluster.dsn("supabase_admin", "temporary", "spendai_project")) as conn:
        for n, person in enumerate(people):
            conn.execute("insert into auth.users (id, email, email_confirmed_at) values (%s, %s, now())",
                         [person, f"p{n}@acme.test"])  # fmt: skip
    with psycopg.connect(project) as conn:
        for n, person in enumerate(people):
            claims = json.dumps({"sub": str(person), "role": "authenticated"})
            conn.execute("select set_config('role', 'authenticated', true),"
                         " set_config('request.jwt.claims', %s, true)", [claims])  # fmt: skip
            conn.execute("select app.ensure_organization(%s, 'none', false)", [f"Org {n}"])
            assert conn.execute("select name from public.organizations").fetchall() == [(f"Org {n}",)]
            conn.execute("select set_config('role', 'postgres', true)")
        conn.rollback()
