"""webapp.postgres.migrations: a run applies all that is new in db/, or nothing; check lists the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from checks import side_by_side

from webapp.postgres import migrations as module
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import DB, MigrationError, migrate

ROLES = ("spendai_auth", "spendai_proxy", "spendai_web")
CALLED = "select has_function_privilege(%s, %s, 'execute')"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of db/ that migrate uses and a test may edit."""
    copy = shutil.copytree(DB, tmp_path / "db")
    monkeypatch.setattr(module, "DB", copy)
    return copy


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Cluster]:
    """A Postgres as a hosting company hands it over: nothing of Supabase's, an owner who is no superuser."""
    bindir = os.environ.get("PG_BINDIR")
    with temporary(Path(bindir) if bindir else None) as server:
        with psycopg.connect(server.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create role shop login createrole password 'shop'")
        yield server


@pytest.fixture
def empty_dsn(elsewhere: Cluster) -> Iterator[str]:
    """An empty database of that owner's."""
    with psycopg.connect(elsewhere.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
        conn.execute("create database shop owner shop")
        yield elsewhere.dsn("shop", "shop", "shop")
        conn.execute("drop database shop with (force)")


def one(dsn: str, query: str, *args: object) -> tuple[object, ...] | None:
    with psycopg.connect(dsn) as conn:
        return conn.execute(query, args).fetchone()


def months(dsn: str) -> list[str]:
    """This month and the 24 after it, as YYYY-MM."""
    query = "select array_agg(to_char(now() at time zone 'UTC' + make_interval(months => n), 'YYYY-MM') order by n)"
    return one(dsn, query + " from generate_series(0, 24) n")[0]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_a_plain_owner_migrates_an_empty_database_and_a_second_run_does_nothing(empty_dsn: str) -> None:
    assert one(empty_dsn, "select rolsuper, rolbypassrls from pg_roles where rolname = current_user") == (False, False)
    done = migrate(empty_dsn)
    kinds = ("migrations", "views", "functions", "guards", "policies")
    wanted = {path.relative_to(DB.parent).as_posix() for kind in kinds for path in (DB / kind).glob("*.sql")}
    assert set(done) == wanted | {"db/prices"} | {f"month {month} of usage_logs" for month in months(empty_dsn)}
    assert migrate(empty_dsn) == migrate(empty_dsn, check=True) == []
    assert one(empty_dsn, "select count(*) from pg_inherits where inhparent = 'public.usage_logs'::regclass") == (25,)


def test_the_product_works_there_and_row_security_holds(empty_dsn: str) -> None:
    migrate(empty_dsn, passwords={"spendai_web": "w" * 64})
    with psycopg.connect(empty_dsn) as owner:
        people = [
            owner.execute("select local_auth.create_user(%s, %s)", [f"{who}@x.test", "$2a$04$" + "a" * 53]).fetchone()[
                0
            ]
            for who in ("ada", "eve")
        ]
    web = psycopg.conninfo.make_conninfo(empty_dsn, user="spendai_web", password="w" * 64)
    sees = []
    for person in people:
        with psycopg.connect(web) as conn:
            conn.execute(
                "select set_config('role', 'authenticated', true),"
                " set_config('request.jwt.claims', json_build_object('sub', %s::text)::text, true)",
                [person],
            )
            org = conn.execute("select org_id from app.ensure_organization('Shop', 'none', false)").fetchone()
            conn.execute("select from app.project_create('chat')")
            sees.append((org, conn.execute("select distinct org_id from public.projects").fetchall()))
    assert [rows for _, rows in sees] == [[org] for org, _ in sees]
    with psycopg.connect(web) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select * from public.projects")


def test_check_says_what_would_be_done_and_does_nothing(empty_dsn: str) -> None:
    assert "db/migrations/0001_organizations.sql" in migrate(empty_dsn, check=True)
    assert one(empty_dsn, "select to_regclass('public.organizations'), to_regnamespace('private')") == (None, None)


def test_check_lists_everything_that_migrating_then_does(own_dsn: str, files: Path) -> None:
    append(files / "functions/me.sql", "\n-- changed")
    append(files / "prices/model_prices.csv", "gpt-10,input_text,standard,0,5,1000000,-infinity,x,\n")
    last = months(own_dsn)[-1]
    with psycopg.connect(own_dsn) as conn:
        conn.execute(f"drop table private.usage_logs_{last.replace('-', '_')}")
    passwords = {"spendai_web": "w" * 64}
    wanted = ["db/functions/me.sql", "db/prices", "password of spendai_web", f"month {last} of usage_logs"]
    assert migrate(own_dsn, passwords=passwords, check=True) == wanted
    assert migrate(own_dsn, passwords=passwords) == wanted
    assert migrate(own_dsn, passwords=passwords, check=True) == []


def test_check_lists_everything_for_an_empty_database(empty_dsn: str) -> None:
    passwords = {role: role * 8 for role in ROLES}
    listed = migrate(empty_dsn, passwords=passwords, check=True)
    assert listed == migrate(empty_dsn, passwords=passwords)


def test_months_that_cannot_be_made_now_do_not_deny_what_was_done(own_dsn: str, files: Path) -> None:
    append(files / "functions/me.sql", "\ncomment on function app.me is 'changed';")
    last = months(own_dsn)[-1]
    with psycopg.connect(own_dsn) as conn:
        conn.execute(f"drop table private.usage_logs_{last.replace('-', '_')}")
    with psycopg.connect(own_dsn) as other:
        other.execute("lock table public.usage_logs in share row exclusive mode")
        with pytest.raises(MigrationError, match=f"^month {last} of usage_logs: .*held by another session") as said:
            migrate(own_dsn)
    assert "nothing was changed" not in str(said.value)
    assert one(own_dsn, "select obj_description('app.me'::regproc, 'pg_proc')") == ("changed",)
    assert migrate(own_dsn) == [f"month {last} of usage_logs"]


def test_two_at_once_on_an_empty_database_do_the_work_once(empty_dsn: str) -> None:
    first, second = sorted(side_by_side(lambda: migrate(empty_dsn), lambda: migrate(empty_dsn)), key=len)
    assert not set(first) & set(second) and "db/migrations/0001_organizations.sql" in second
    assert all(name.startswith("month ") for name in first), "months are made outside the lock: either makes some"


def test_an_edited_migration_is_refused(own_dsn: str, files: Path) -> None:
    append(files / "migrations/0003_projects_and_keys.sql", "\n-- a later thought")
    for check in (False, True):
        with pytest.raises(
            MigrationError, match=r"^db/migrations/0003_projects_and_keys\.sql: changed after it was applied"
        ):
            migrate(own_dsn, check=check)


@pytest.mark.parametrize("which", [0, -1])
def test_a_missing_migration_is_refused_by_its_name(own_dsn: str, files: Path, which: int) -> None:
    path = sorted((files / "migrations").glob("*.sql"))[which]
    path.unlink()
    with pytest.raises(MigrationError, match=f"^db/migrations/{path.name}: applied, but not in this checkout"):
        migrate(own_dsn)


def test_a_migration_that_comes_before_applied_ones_is_refused(own_dsn: str, files: Path) -> None:
    (files / "migrations/0001_a_before.sql").write_text("create table public.late ();")
    with pytest.raises(MigrationError, match=r"^db/migrations/0001_a_before\.sql: must come after"):
        migrate(own_dsn)
    assert one(own_dsn, "select to_regclass('public.late')") == (None,)


def test_a_new_migration_runs_once(own_dsn: str, files: Path) -> None:
    (files / "migrations/9000_more.sql").write_text("create table public.more ();")
    assert migrate(own_dsn) == ["db/migrations/9000_more.sql"]
    assert migrate(own_dsn) == []


def test_an_error_names_file_and_line_and_leaves_nothing_behind(own_dsn: str, files: Path) -> None:
    (files / "migrations/9000_more.sql").write_text(
        "create table public.more ();\n\nselect 1;\nselect * from nowhere;\n"
    )
    append(files / "functions/me.sql", "\ncomment on function app.me is 'changed';")
    with pytest.raises(MigrationError, match=r'^db/migrations/9000_more\.sql:4: relation "nowhere" does not exist$'):
        migrate(own_dsn)
    assert one(own_dsn, "select to_regclass('public.more')") == (None,)
    assert one(own_dsn, "select obj_description('app.me'::regproc, 'pg_proc')") != ("changed",)
    (files / "migrations/9000_more.sql").unlink()
    assert migrate(own_dsn) == ["db/functions/me.sql"]


def test_a_changed_function_view_and_policy_are_loaded_again_and_keep_their_rights(own_dsn: str, files: Path) -> None:
    policies = "select array_agg(policyname order by policyname) from pg_policies where tablename = 'projects'"
    before = one(own_dsn, policies)
    with psycopg.connect(own_dsn) as conn:
        conn.execute("grant execute on function app.me to spendai_auth")  # a right that no file gives
    append(files / "functions/me.sql", "\ncomment on function app.me is 'changed';")
    append(files / "views/spend_daily.sql", "\ncomment on view public.spend_daily is 'changed';")
    append(files / "policies/projects.sql", "\ncomment on table public.projects is 'changed';")
    wanted = ["db/views/spend_daily.sql", "db/functions/me.sql", "db/policies/projects.sql"]
    assert migrate(own_dsn, check=True) == migrate(own_dsn) == wanted
    for comment in (
        "'app.me'::regproc, 'pg_proc'",
        *(f"'public.{t}'::regclass, 'pg_class'" for t in ("spend_daily", "projects")),
    ):
        assert one(own_dsn, f"select obj_description({comment})") == ("changed",)
    for role, may in (("spendai_auth", True), ("authenticated", True), ("anon", False), ("public", False)):
        assert one(own_dsn, CALLED, role, "app.me()") == (may,)
    assert one(own_dsn, "select reloptions from pg_class where relname = 'spend_daily'") == (["security_invoker=true"],)
    assert one(own_dsn, policies) == before


def test_a_table_that_somebody_holds_stops_it_with_a_clear_message(
    own_dsn: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_FOR_TABLE", "50ms")
    append(files / "policies/projects.sql", "\n-- changed")
    with psycopg.connect(own_dsn) as analyst:
        analyst.execute("select from public.projects")
        with pytest.raises(MigrationError, match=r"^db/policies/projects\.sql: a table is held by another session"):
            migrate(own_dsn)
    assert migrate(own_dsn) == ["db/policies/projects.sql"]


def test_a_migration_that_hangs_elsewhere_stops_it_with_a_clear_message(
    own_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_FOR_ANOTHER", "50ms")
    with psycopg.connect(own_dsn) as other:
        other.execute("lock table private.schema_files in exclusive mode")
        with pytest.raises(MigrationError, match="another migration has been running"):
            migrate(own_dsn)
    assert migrate(own_dsn) == []


def test_passwords_are_set_as_scram_and_only_when_they_changed(empty_dsn: str, elsewhere: Cluster) -> None:
    def verifiers() -> list[str]:
        with psycopg.connect(elsewhere.dsn(SUPERUSER, "temporary")) as conn:
            query = "select rolname, rolpassword from pg_authid where rolname = any (%s) order by 1"
            return [text for _, text in conn.execute(query, [list(ROLES)]).fetchall()]

    passwords = {role: f"{role}-{'x' * 40}" for role in ROLES}
    assert set(migrate(empty_dsn, passwords=passwords)) >= {f"password of {role}" for role in ROLES}
    before = verifiers()
    assert all(text.startswith("SCRAM-SHA-256$") for text in before)
    assert migrate(empty_dsn, passwords=passwords) == []
    assert verifiers() == before
    for role, password in passwords.items():
        assert one(psycopg.conninfo.make_conninfo(empty_dsn, user=role, password=password), "select current_user") == (
            role,
        )
    assert migrate(empty_dsn, passwords=passwords | {"spendai_web": "new"}) == ["password of spendai_web"]
    assert [old == new for old, new in zip(before, verifiers(), strict=True)] == [True, True, False]


def test_a_password_that_somebody_else_has_set_is_set_again(empty_dsn: str, elsewhere: Cluster) -> None:
    """As a second installation does, which has another database and the same roles: the roles are the server's."""
    passwords = {role: f"{role}-{'x' * 40}" for role in ROLES}
    migrate(empty_dsn, passwords=passwords)
    with psycopg.connect(elsewhere.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
        conn.execute("alter role spendai_web password 'another'")
    assert migrate(empty_dsn, passwords=passwords, check=True) == ["password of spendai_web"]
    assert migrate(empty_dsn, passwords=passwords) == ["password of spendai_web"]
    web = psycopg.conninfo.make_conninfo(empty_dsn, user="spendai_web", password=passwords["spendai_web"])
    assert one(web, "select current_user") == ("spendai_web",)
    assert migrate(empty_dsn, passwords=passwords) == []
