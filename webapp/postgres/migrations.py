"""Applies db/: migrations once, functions, guards, views and policies whenever they changed, then the price list.

Everything happens in one transaction under one lock, so a failed run leaves nothing behind and of two that start at
once one does the work. Applied migrations form a hash chain: an edited or missing one is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from webapp.config import ROOT
from webapp.postgres import shipped_prices as prices

DB = ROOT / "db"
LOCK = 7_263_411_001  # one number for all installs; only this module takes it
# In the order in which they need each other: a function may return the rows of a view.
RELOADED = ("views", "functions", "guards", "policies")
MONTHS_AHEAD = 24
WAIT_FOR_ANOTHER = "30s"  # for another migration to end
WAIT_FOR_TABLE = "5s"  # a session that holds a table must not make every call behind us wait

HELD = "a table is held by another session; nothing was changed, try again"
LEDGER = """
create schema if not exists private;
create table if not exists private.schema_files (
    path text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
alter table private.schema_files enable row level security;
comment on table private.schema_files is 'Files of db/ as applied; a migration''s hash covers all earlier ones.';
"""


class MigrationError(Exception):
    """A file of db/ could not be applied; the message starts with file:line where there is one."""


def _sha(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _name(path: Path) -> str:
    return path.relative_to(DB.parent).as_posix()


def _execute(conn: psycopg.Connection, path: Path) -> None:
    """Run one file; an error names file and line."""
    text = path.read_text(encoding="utf-8")
    try:
        conn.execute(text)  # without parameters psycopg sends the whole file as it is
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(f"{_name(path)}: {HELD}") from None
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = text[: int(position) - 1].count("\n") + 1 if position else 1
        raise MigrationError(f"{_name(path)}:{line}: {error.diag.message_primary or error}") from error


def _pending_migrations(applied: Mapping[str, str]) -> list[tuple[Path, str]]:
    """Migrations still to run with the hash to remember. Refuses edited, missing and out-of-order ones."""
    files = {_name(path): path for path in sorted((DB / "migrations").glob("*.sql"))}
    missing = sorted(name for name in applied if name.startswith("db/migrations/") and name not in files)
    if missing:
        raise MigrationError(f"{missing[0]}: applied, but not in this checkout: the database is newer")
    pending, chain = [], ""
    for name, path in files.items():
        chain = _sha(chain, name, path.read_text(encoding="utf-8"))
        if name not in applied:
            pending.append((path, chain))
        elif pending:  # first: it changes the hashes of all after it
            raise MigrationError(f"{_name(pending[0][0])}: must come after {name}, which is applied already")
        elif applied[name] != chain:
            raise MigrationError(f"{name}: changed after it was applied; write a new migration instead")
    return pending


def _changed_files(applied: Mapping[str, str]) -> list[tuple[Path, str]]:
    files = [path for kind in RELOADED for path in sorted((DB / kind).glob("*.sql"))]
    hashed = [(path, _sha(path.read_text(encoding="utf-8"))) for path in files]
    return [(path, sha) for path, sha in hashed if applied.get(_name(path)) != sha]


def _remember(conn: psycopg.Connection, name: str, sha: str) -> None:
    conn.execute(
        "insert into private.schema_files (path, sha256) values (%s, %s)"
        " on conflict (path) do update set sha256 = excluded.sha256, applied_at = now()",
        [name, sha],
    )


def _set_passwords(conn: psycopg.Connection, passwords: Mapping[str, str], applied: Mapping[str, str]) -> list[str]:
    """Let the login roles in. The server gets a SCRAM verifier, never the password."""
    done = []
    for role, password in passwords.items():
        mark = _sha(role, password)
        row = conn.execute("select rolcanlogin from pg_roles where rolname = %s", [role]).fetchone()
        if applied.get(f"role/{role}") == mark and row and row[0]:
            continue
        verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        conn.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(verifier)))
        _remember(conn, f"role/{role}", mark)
        done.append(f"password of {role}")
    return done


def _begin(conn: psycopg.Connection) -> dict[str, str]:
    """Take the lock and read what is applied; make the cluster look like Supabase's where it does not."""
    conn.execute("select set_config('lock_timeout', %s, true)", [WAIT_FOR_ANOTHER])
    try:
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(f"another migration has been running for {WAIT_FOR_ANOTHER}; try again later") from None
    conn.execute("select set_config('lock_timeout', %s, true)", [WAIT_FOR_TABLE])
    conn.execute("set local check_function_bodies = off; set local client_min_messages = warning")
    row = conn.execute("select to_regclass('auth.users') is null or to_regnamespace('local_auth') is null").fetchone()
    if row and row[0] and conn.execute("select to_regclass('auth.schema_migrations') is null").fetchone() == (True,):
        _execute(conn, DB / "supabase.sql")
        _execute(conn, DB / "local_auth.sql")
    # Not part of a dump, so a restored database would let analysts make temporary objects.
    conn.execute(
        "do $$ begin execute format('revoke temporary on database %I from public', current_database());"
        " exception when insufficient_privilege then null; end $$"
    )
    conn.execute(LEDGER)
    return dict(conn.execute("select path, sha256 from private.schema_files").fetchall())


def _apply(conn: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    applied = _begin(conn)
    done = []
    for path, sha in _pending_migrations(applied) + _changed_files(applied):
        _execute(conn, path)
        _remember(conn, _name(path), sha)
        done.append(_name(path))
    sha = _sha(*(path.read_text(encoding="utf-8") for path in sorted((DB / "prices").glob("*.csv"))))
    if applied.get("db/prices") != sha:
        prices.load(conn)
        _remember(conn, "db/prices", sha)
        done.append("db/prices")
    return done + _set_passwords(conn, passwords, applied)


def _ensure_partitions(conn: psycopg.Connection) -> None:
    """Months of usage_logs, each in its own short transaction: attaching one must never hold up a call."""
    for months in range(MONTHS_AHEAD + 1):
        with conn.transaction():
            conn.execute("set local lock_timeout = '200ms'")
            conn.execute("select app.ensure_partition((now() + make_interval(months => %s))::date)", [months])


def migrate(owner_dsn: str, *, passwords: Mapping[str, str] | None = None, check: bool = False) -> list[str]:
    """Bring the database up to this checkout; returns what was done, or with ``check`` what would be done."""
    with psycopg.connect(owner_dsn, autocommit=True, prepare_threshold=None) as conn:  # may go through a pooler
        if check:
            row = conn.execute("select to_regclass('private.schema_files') is not null").fetchone()
            has_ledger = bool(row and row[0])
            found = conn.execute("select path, sha256 from private.schema_files").fetchall() if has_ledger else []
            return [_name(path) for path, _ in _pending_migrations(dict(found)) + _changed_files(dict(found))]
        try:
            with conn.transaction():
                done = _apply(conn, passwords or {})
            _ensure_partitions(conn)
        except psycopg.errors.LockNotAvailable:
            raise MigrationError(HELD) from None
        except (psycopg.errors.ProgrammingError, psycopg.errors.DataError, psycopg.errors.IntegrityError) as error:
            raise MigrationError(str(error.diag.message_primary or error)) from error
        return done
