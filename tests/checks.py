"""What many tests of SQL ask: who may run it, how it refuses, what it wrote into the audit log."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
from hypothesis import HealthCheck, settings
from people import HASH, ROLES, People

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
EVERYONE = ("ada", "dev", "eve", "nobody", *ROLES[2:])
PEOPLE_READ = {who: "select" if who in ("ada", "dev", "eve") else "" for who in EVERYONE}
ANALYSTS_TOO = PEOPLE_READ | {"spendai_analyst": "select"}
OLD_DEFAULTS = "grant all on public.{0} to public; grant all on public.{0} to anon, authenticated, service_role"


def all_cases() -> bool:
    """Whether tests try every case that they know: `make prove-cases`. `make test` tries some of them."""
    return os.environ.get("CASES") == "all"


def some(cases: Sequence[T], count: int) -> list[T]:
    """The cases that a test tries: so many, at least two, from the first to the last one; or all of them."""
    if all_cases():
        return list(cases)
    return [cases[n * (len(cases) - 1) // (count - 1)] for n in range(count)]


def examples(count: int) -> settings:
    """Settings of a property's test: how many examples Hypothesis makes up, all of them with the same fixtures.

    So many with all cases, else half of them, and a fifth on a server chosen with PG_BINDIR: every statement runs there
    too, while the arithmetic is the same on all servers.
    """
    part = 5 if "PG_BINDIR" in os.environ else 1 if all_cases() else 2
    return settings(max_examples=max(count // part, 5), suppress_health_check=[HealthCheck.function_scoped_fixture])


def executors(conn: psycopg.Connection, function: str) -> set[str]:
    """Roles, PUBLIC among them, that may run app.<function>; its owner always may."""
    oid = conn.execute("select %s::regproc::oid as oid", [f"app.{function}"]).fetchone()["oid"]
    rows = conn.execute(
        "select r.role from unnest(%s::text[]) r (role) where has_function_privilege(r.role, %s::oid, 'execute')",
        [list(ROLES), oid],
    ).fetchall()
    public = conn.execute(
        "select from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " where p.oid = %s and a.grantee = 0",
        [oid],
    ).fetchall()
    return {row["role"] for row in rows} | ({"PUBLIC"} if public else set())


def blocks_read(people: People, indexes: str) -> int:
    """Blocks of indexes that this transaction has read so far; indexes: a regular expression for their definitions."""
    query = """select sum(pg_stat_get_xact_blocks_fetched(i.indexrelid))::integer as n from pg_index i
        where pg_get_indexdef(i.indexrelid) ~ %s"""
    return people.one(query, indexes)["n"]


def rows_read(people: People, table: str) -> int:
    """Rows of a table that this transaction has read so far, in any way."""
    query = "select seq_tup_read + idx_tup_fetch as n from pg_stat_xact_user_tables where relid = %s::regclass"
    return people.one(query, table)["n"]


def refuses(people: People, who: str, error: str, query: str, *args: Any) -> psycopg.errors.Diagnostic:
    """Assert that this person is refused with an HTTP status and a code, such as "404 key_not_found"."""
    status, code = error.split()
    with people.as_(who):
        diag = people.refused(f"PT{status}", query, *args).diag
    assert diag.message_detail == code
    return diag


def strangers_are_refused(people: People, query: str, *args: Any) -> None:
    """Assert that somebody without a session may not even run it, and a signed-in one without organization gets 403."""
    with people.as_("nobody"):
        people.refused("42501", query, *args)
    people.sign_up("lone", "lone@nowhere.test")
    refuses(people, "lone", "403 admin_required", query, *args)
    with people.as_role("authenticated"):
        assert people.refused("PT401", query, *args).diag.message_detail == "not_signed_in"


def audit_lines(people: People, who: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """(action, subject, details) of this person's lines of the audit log, oldest first."""
    rows = people.all("select * from public.audit_log where actor_id = %s order by at, id", people.ids[who])
    return [(row["action"], row["subject_id"], row["details"]) for row in rows]


@contextmanager
def person(dsn: str, user: UUID) -> Iterator[psycopg.Connection]:
    """A connection of one's own, as this person, for one transaction that commits at the end."""
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "select set_config('request.jwt.claims', %s, true), set_config('role', 'authenticated', true)",
            [json.dumps({"sub": str(user)})],
        )
        yield conn


def two_admins(dsn: str) -> tuple[UUID, list[UUID]]:
    """A new organization with two admins, committed; its id and theirs."""
    org = uuid4()
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into public.organizations (id, name) values (%s, 'Acme')", [org])
        users = []
        for name in ("ada", "bea"):
            email = f"{name}@{org}.test"
            (user,) = conn.execute("select local_auth.create_user(%s, %s)", [email, HASH]).fetchone()
            conn.execute("insert into public.members values (%s, %s, 'admin', %s)", [user, org, email])
            users.append(user)
    return org, users


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """Run all at the same moment, one thread each; results in order, an exception is a result too."""
    gate = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        gate.wait(timeout=30)
        try:
            return job()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def allowed(people: People, who: str, statement: str) -> bool:
    """Whether this person or role has the right to try; a statement that fails for another reason was allowed."""
    try:
        with people.as_role(who) if who in ROLES else people.as_(who) as conn:
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error:
        return True
    return True


def rights(people: People, table: str, columns: str) -> dict[str, str]:
    """What everyone can do with a table, tried and not looked up: name → verbs, such as "select insert"."""
    first = columns.split(",", maxsplit=1)[0]
    statements = {
        "select": f"select {columns} from public.{table}",
        "insert": f"insert into public.{table} default values",
        "update": f"update public.{table} set {first} = {first}",
        "delete": f"delete from public.{table}",
        "truncate": f"truncate public.{table} cascade",
    }
    return {who: " ".join(v for v, text in statements.items() if allowed(people, who, text)) for who in EVERYONE}


def only_people_read(people: People, table: str, columns: str | None = None, *, analysts: bool = False) -> None:
    """Assert that signed-in people may read, and nobody write, also where Supabase's old defaults granted everything.

    analysts: whether the group of the analysts' own logins may read too (its rows depend on the login).
    """
    expected = ANALYSTS_TOO if analysts else PEOPLE_READ
    first = "select attname from pg_attribute where attrelid = %s::regclass and attnum = 1"
    columns = columns or f"{people.one(first, f'public.{table}')['attname']}, {table}.*"
    assert rights(people, table, columns) == expected
    people.conn.execute("set constraints all immediate")  # alter table needs all triggers run
    people.conn.execute(OLD_DEFAULTS.format(table))
    people.conn.execute((ROOT / "db/policies" / f"{table}.sql").read_text())
    assert rights(people, table, columns) == expected


def own_rows_only(people: People, table: str) -> None:
    """Assert that everyone in an organization reads its rows of a table alone, that who is in none reads nothing, and
    that nobody writes by hand. The table has one row of Acme's and one of Evil's.
    """
    query = f"select * from public.{table}"
    for who, owner in (("ada", "ada"), ("dev", "ada"), ("eve", "eve")):
        with people.as_(who):
            assert [row["org_id"] for row in people.all(query)] == [people.orgs[owner]], who
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all(query) == []
    for role in ("authenticated", "spendai_analyst"):
        with people.as_role(role):
            assert people.all(query) == [], role
    only_people_read(people, table, analysts=True)


def strangers_read_nothing(people: People, query: str) -> None:
    """Assert that nobody without an organization reads a row, and that roles that act for no person are refused."""
    for role in ("authenticated", "spendai_analyst"):
        with people.as_role(role):
            assert people.all(query) == [], role
    for role in ("anon", "service_role", "spendai_web", "spendai_proxy", "spendai_auth"):
        with people.as_role(role):
            people.refused("42501", query)


def append_only(people: People, table: str, *statements: str) -> None:
    """Assert that not even the owner or the superuser can change or remove a row."""
    for role in ("postgres", None):
        people.conn.execute(f"set local role {role}" if role else "reset role")
        for statement in (*statements, f"delete from {table}", f"truncate {table}", f"truncate {table} cascade"):
            assert people.refused("PT405", statement).diag.message_detail == "append_only"
    people.conn.execute("set role postgres")
