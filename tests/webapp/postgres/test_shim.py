"""db/supabase.sql and db/local_auth.sql on every Postgres found here, as superuser and as a plain database owner."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.programs import find_bindir

HASH = "$2a$10$" + "a" * 53
SHIM = [(ROOT / "db" / name).read_text() for name in ("supabase.sql", "local_auth.sql")]
BINDIRS = sorted({find_bindir(), *Path("/usr/lib/postgresql").glob("*/bin")})


@pytest.fixture(scope="module", params=BINDIRS, ids=str)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with temporary(request.param) as running:
        with psycopg.connect(running.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create role somebody login createrole password 'own'")
            conn.execute("create database plain owner somebody")
        yield running


@pytest.fixture(params=["embedded", "plain"])
def conn(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A database with the shim: as in the embedded cluster, then as its owner on somebody's Postgres; rolled back."""
    embedded = request.param == "embedded"
    dsn = cluster.dsn(SUPERUSER, "temporary") if embedded else cluster.dsn("somebody", "own", "plain")
    with psycopg.connect(dsn) as connection:
        for text in SHIM * 2:  # running it again changes nothing and breaks nothing
            connection.execute(text)
        if embedded:
            connection.execute("set local role postgres")  # the owner; whoever runs migrations
        yield connection
        connection.rollback()


def refused(conn: psycopg.Connection, query: str, state: str) -> None:
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        conn.execute(query)
    assert caught.value.sqlstate == state, caught.value


def test_the_owner_can_do_what_migrations_do(conn: psycopg.Connection) -> None:
    conn.execute("create table public.people (id uuid primary key references auth.users)")
    conn.execute("create role web nologin noinherit")
    conn.execute("grant authenticated to web")
    conn.execute("grant usage on schema local_auth to web")
    conn.execute("grant execute on function local_auth.find_login to web")
    conn.execute("create policy own on public.people to authenticated using (id = (select auth.uid()))")
    assert conn.execute("select count(*) from auth.users").fetchone() == (0,)


def test_claims_say_who_is_signed_in(conn: psycopg.Connection) -> None:
    ada, bob = uuid.uuid4(), uuid.uuid4()
    who = "select auth.uid(), auth.role(), auth.email(), auth.jwt() ->> 'aud'"
    assert conn.execute(who).fetchone() == (None, None, None, None)
    claims = f'{{"sub": "{ada}", "role": "authenticated", "email": "ada@acme.test", "aud": "x"}}'
    conn.execute("select set_config('request.jwt.claims', %s, true)", [claims])
    assert conn.execute(who).fetchone() == (ada, "authenticated", "ada@acme.test", "x")
    conn.execute("select set_config('request.jwt.claim.sub', %s, true)", [str(bob)])
    assert conn.execute("select auth.uid()").fetchone() == (bob,)
    conn.execute("select set_config('request.jwt.claim.sub', '', true), set_config('request.jwt.claims', '', true)")
    assert conn.execute(who).fetchone() == (None, None, None, None)  # what a session looks like after its first claims


def test_signed_in_people_may_ask_who_they_are_but_see_no_accounts(conn: psycopg.Connection) -> None:
    conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH])
    for role in ("anon", "authenticated", "service_role"):
        with conn.transaction(force_rollback=True):
            conn.execute(f"set local role {role}")
            assert conn.execute("select auth.uid()").fetchone() == (None,)
            refused(conn, "select from auth.users", "42501")
            refused(conn, f"select local_auth.create_user('eve@evil.test', '{HASH}')", "42501")
            refused(conn, "select * from local_auth.find_login('ada@acme.test')", "42501")
            refused(conn, "create temporary table t ()", "42501")


def test_people_sign_up_once_per_address_whatever_its_case(conn: psycopg.Connection) -> None:
    (ada,) = conn.execute("select local_auth.create_user(E' Ada@Acme.Test\t', %s)", [HASH]).fetchone()
    assert conn.execute("select local_auth.create_user('ada@ACME.test', %s)", [HASH]).fetchone() == (None,)
    row = conn.execute("select * from local_auth.find_login('ADA@acme.test ')").fetchone()
    assert row == (ada, HASH, False)
    email, confirmed = conn.execute("select email, confirmed_at <= now() from auth.users").fetchone()
    assert (email, confirmed) == ("ada@acme.test", True)
    assert conn.execute("select * from local_auth.find_login('bob@acme.test')").fetchone() is None


def test_only_bcrypt_hashes_are_stored(conn: psycopg.Connection) -> None:
    for wrong in ("correct horse", "", "$2y$10$" + "a" * 53, HASH + "a", HASH[:-1], "$argon2id$v=19$m=65536"):
        refused(conn, f"select local_auth.create_user('ada@acme.test', '{wrong}')", "22023")
        refused(conn, f"select local_auth.set_password(gen_random_uuid(), '{wrong}')", "22023")
    refused(conn, "select local_auth.create_user('ada@acme.test', null)", "22023")
    refused(conn, f"select local_auth.create_user(' ', '{HASH}')", "22023")


def test_a_new_password_replaces_the_old_one(conn: psycopg.Connection) -> None:
    new = HASH.replace("$2a$", "$2b$")
    (ada,) = conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH]).fetchone()
    assert conn.execute("select local_auth.set_password(%s, %s)", [ada, new]).fetchone() == (True,)
    assert conn.execute("select hash from local_auth.find_login('ada@acme.test')").fetchone() == (new,)
    assert conn.execute("select local_auth.set_password(gen_random_uuid(), %s)", [new]).fetchone() == (False,)


def test_an_address_changes_unless_another_account_has_it_and_an_account_can_go(conn: psycopg.Connection) -> None:
    (ada,) = conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH]).fetchone()
    conn.execute("select local_auth.create_user('eve@evil.test', %s)", [HASH])
    for email, changed in (("EVE@evil.test", False), ("new@acme.test", True)):
        assert conn.execute("select local_auth.change_email(%s, %s)", [ada, email]).fetchone() == (changed,)
    assert conn.execute("select user_id from local_auth.find_login('new@acme.test')").fetchone() == (ada,)
    assert conn.execute("select local_auth.delete_user(%s)", [ada]).fetchone() == (True,)
    assert conn.execute("select local_auth.delete_user(%s)", [ada]).fetchone() == (False,)
    assert conn.execute("select email from auth.users").fetchall() == [("eve@evil.test",)]


def test_the_embedded_owner_reads_accounts_but_cannot_change_them(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER, "temporary")) as conn:
        for text in SHIM:
            conn.execute(text)
        conn.execute(f"select local_auth.create_user('ada@acme.test', '{HASH}')")
        conn.execute("update auth.users set banned_until = now() + interval '1 day'")
        conn.execute("set local role postgres")
        assert conn.execute("select banned from local_auth.find_login('ada@acme.test')").fetchone() == (True,)
        assert conn.execute("select email from auth.users").fetchone() == ("ada@acme.test",)
        refused(conn, "update auth.users set email = 'eve@evil.test'", "42501")
        refused(conn, "create table auth.mine ()", "42501")
        conn.rollback()


def test_a_real_supabase_is_never_touched(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER, "temporary")) as conn:
        conn.execute("create schema auth; create table auth.schema_migrations ()")
        for text in SHIM:
            refused(conn, text, "P0001")
        conn.rollback()
