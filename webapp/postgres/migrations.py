"""Applies db/: migrations once, functions, guards, views and policies whenever they changed, then the price list.

All of this happens in one transaction under one lock, of private.schema_files, so a failed run changes nothing, and of
two runs that start at once only one applies a file. The partitions of usage_logs follow, each in a transaction of its
own. The hash of a migration covers all earlier ones: an edited or missing migration is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import psycopg

from webapp.config import ROOT
from webapp.postgres import logins, needs
from webapp.postgres import shipped_prices as prices

DB = ROOT / "db"
FIRST = 7_263_411_001  # advisory lock for the first migration of a database, which has no logins of analysts yet
# In the order in which they need each other: a function may return the rows of a view.
RELOADED = ("views", "functions", "guards", "policies")
MONTHS_AHEAD = 24
WAIT_FOR_ANOTHER = "30s"  # for another migration to end
WAIT_FOR_TABLE = "5s"  # for a table's lock: while a migration waits for it, calls wait behind the migration

NEWER = "the database is newer: start the version of SpendAI that updated it, or a newer one; see docs/upgrade.md"
HELD = "a table is held by another session; nothing was changed, try again"
HELD_MONTH = "usage_logs is held by another session; everything before was applied, try again"
MISSING_MONTHS = """
select month::date from generate_series(date_trunc('month', now() at time zone 'UTC'),
    now() at time zone 'UTC' + make_interval(months => %s), interval '1 month') month
where to_regclass('private.usage_logs_' || to_char(month, 'YYYY_MM')) is null
order by 1
"""
# Whether supabase.sql and local_auth.sql have to run: not yet, or before local_auth got its newest function.
SHIM_IS_OLD = """
select to_regclass('auth.users') is null or to_regprocedure('local_auth.delete_user(uuid)') is null
"""
# A function or view that somebody has dropped since is not applied any more.
APPLIED = """
select path, sha256 from private.schema_files
where case split_part(path, '/', 2)
    when 'functions' then to_regproc('app.' || substring(path from '([^/]+)[.]sql$')) is not null
    when 'views' then to_regclass('public.' || substring(path from '([^/]+)[.]sql$')) is not null
    else true
end
"""
SCHEMA_FILES = """
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
    """Run one file; raises MigrationError with the file, and the line where Postgres names one."""
    text = path.read_text(encoding="utf-8")
    try:
        conn.execute(text)  # without parameters psycopg sends the whole file as it is
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(f"{_name(path)}: {HELD}") from None
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = text[: int(position) - 1].count("\n") + 1 if position else 1
        raise MigrationError(f"{_name(path)}:{line}: {_text(error)}") from error


def _text(error: psycopg.Error) -> str:
    """Message, detail and hint: of a right that is missing, only the detail says which."""
    diag = error.diag
    return ". ".join(filter(None, (diag.message_primary, diag.message_detail, diag.message_hint))) or str(error)


def newest() -> str:
    """The last migration of this checkout, as private.schema_files names it."""
    return _name(max((DB / "migrations").glob("*.sql")))


def _pending_migrations(applied: Mapping[str, str]) -> list[tuple[Path, str]]:
    """Migrations still to run, each with the hash to remember. Raises MigrationError for edited, missing and
    out-of-order ones; applied: path → hash."""
    files = {_name(path): path for path in sorted((DB / "migrations").glob("*.sql"))}
    missing = sorted(name for name in applied if name.startswith("db/migrations/") and name not in files)
    if missing:
        raise MigrationError(f"{missing[0]}: applied, but not in this checkout: {NEWER}")
    pending, chain = [], ""
    for name, path in files.items():
        chain = _sha(chain, name, path.read_text(encoding="utf-8"))
        if name not in applied:
            pending.append((path, chain))
        elif pending:  # asked before the hash, which a migration in between has changed
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


def _prices_sha() -> str:
    return _sha(*(path.read_text(encoding="utf-8") for path in sorted((DB / "prices").iterdir())))


def _begin(conn: psycopg.Connection) -> dict[str, str]:
    """Take the lock; make Supabase's roles and schemas where there are none; return what is applied, path → hash.

    Raises MigrationError before anything is changed where the database is not as SpendAI needs it.
    """
    if wrong := needs.owner_unmet(conn):
        raise MigrationError("; ".join(wrong))
    conn.execute("set local check_function_bodies = off; set local client_min_messages = warning")
    conn.execute("select set_config('lock_timeout', %s, true)", [WAIT_FOR_ANOTHER])
    try:
        conn.execute("select pg_advisory_xact_lock(%s) where to_regclass('private.schema_files') is null", [FIRST])
        conn.execute(SCHEMA_FILES)
        # A table's lock, because any login of the server could take and keep an advisory lock.
        conn.execute("lock table private.schema_files in exclusive mode")
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(f"another migration has been running for {WAIT_FOR_ANOTHER}; try again later") from None
    conn.execute("select set_config('lock_timeout', %s, true)", [WAIT_FOR_TABLE])
    (is_old,) = conn.execute(SHIM_IS_OLD).fetchone()
    if is_old and conn.execute("select to_regclass('auth.schema_migrations') is null").fetchone() == (True,):
        _execute(conn, DB / "supabase.sql")
        _execute(conn, DB / "local_auth.sql")
    # A dump does not contain this right, so in a restored database analysts could make temporary tables.
    conn.execute(
        "do $$ begin execute format('revoke temporary on database %I from public', current_database());"
        " exception when insufficient_privilege then null; end $$"
    )
    return dict(conn.execute(APPLIED).fetchall())


def _apply_files(conn: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    applied = _begin(conn)
    done = []
    for path, sha in _pending_migrations(applied) + _changed_files(applied):
        _execute(conn, path)
        _remember(conn, _name(path), sha)
        done.append(_name(path))
    if done:  # what older functions found and kept may have another form
        conn.execute("update private.price_changes set n = n + 1")
    conn.execute("select app.statistics_off()")  # of tables and columns that a migration has added; before rows are
    if applied.get("db/prices") != _prices_sha():
        prices.load(conn)
        _remember(conn, "db/prices", _prices_sha())
        done.append("db/prices")
    for role in logins.unset(conn, passwords, applied):
        logins.let_in(conn, role, passwords[role])
        _remember(conn, logins.path(role), logins.mark(role, passwords[role]))
        done.append(f"password of {role}")
    return done


def missing_months(conn: psycopg.Connection, ahead: int = MONTHS_AHEAD) -> list[date]:
    """First days of the months without a partition of usage_logs, from this month to the one ``ahead`` months later."""
    return [month for (month,) in conn.execute(MISSING_MONTHS, [ahead])]


def _make_months(conn: psycopg.Connection) -> list[str]:
    """Partitions of usage_logs, each in its own short transaction: attaching one must never hold up a call."""
    done = []
    for month in missing_months(conn):
        try:
            with conn.transaction():
                conn.execute("set local lock_timeout = '200ms'")
                (made,) = conn.execute("select app.ensure_partition(%s)", [month]).fetchone()
        except psycopg.errors.LockNotAvailable:
            raise MigrationError(f"{_month_name(month)}: {HELD_MONTH}") from None
        done += [_month_name(month)] if made else []  # not made: a gateway was first
    return done


def _month_name(month: date) -> str:
    return f"month {month:%Y-%m} of usage_logs"


def pending_files(conn: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    """Files of db/, the price list and passwords that ``apply`` would apply, in its order; changes nothing."""
    (has_table,) = conn.execute("select to_regclass('private.schema_files') is not null").fetchone()
    applied = dict(conn.execute(APPLIED).fetchall() if has_table else [])
    found = [_name(path) for path, _ in _pending_migrations(applied) + _changed_files(applied)]
    found += ["db/prices"] if applied.get("db/prices") != _prices_sha() else []
    return found + [f"password of {role}" for role in logins.unset(conn, passwords, applied)]


def pending(conn: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    """What ``apply`` would do, in its order; changes nothing. Raises MigrationError and psycopg.Error."""
    if wrong := needs.owner_unmet(conn):
        raise MigrationError("; ".join(wrong))
    return pending_files(conn, passwords) + [_month_name(month) for month in missing_months(conn)]


def apply(conn: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    """Bring the database up to this checkout and return what was done; conn: the owner's, in autocommit mode.

    passwords: login role → password. Raises MigrationError, and psycopg.OperationalError when the server fails.
    """
    try:
        with conn.transaction():
            done = _apply_files(conn, passwords)
        return done + _make_months(conn)
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(HELD) from None
    except (psycopg.errors.ProgrammingError, psycopg.errors.DataError, psycopg.errors.IntegrityError) as error:
        raise MigrationError(_text(error)) from error


def migrate(owner_dsn: str, *, passwords: Mapping[str, str] | None = None, check: bool = False) -> list[str]:
    """``apply``, or with ``check`` ``pending``, on a connection of its own; raises what they raise."""
    with psycopg.connect(owner_dsn, autocommit=True, prepare_threshold=None) as conn:  # may go through a pooler
        return (pending if check else apply)(conn, passwords or {})
