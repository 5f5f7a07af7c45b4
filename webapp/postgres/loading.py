"""Loads a backup of the embedded database into an empty database of one's own, also a Supabase project's.

pg_restore only turns the backup into SQL; it is run by psycopg, whose libpq can encrypt connections, which that of the
embedded programs cannot. Owners and the schemas auth and local_auth are left out: the new database has its own. Of
auth, the rows of people are copied.

The database is migrated first, for the roles, which no backup contains. What that made is dropped and made again from
the backup in one transaction, so a failed run changes nothing. Then it is migrated again: that applies what is newer
than the backup and gives all rights anew, because on Supabase new tables are granted to everybody by default.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from webapp.postgres.migrations import DB, pending_files
from webapp.postgres.programs import ClusterError, find_bindir

# Lines of `pg_restore --list` that are loaded: all in our schemas but default rights, and the schemas that are ours.
OURS = re.compile(r"\d+; \d+ \d+ (?!DEFAULT ACL)([A-Z][A-Z ]* (public|app|private) |[A-Z]+ - (SCHEMA )?(app|private) )")
# All but rights on Postgres' own functions. Another version may lack one; the embedded server sets them at each start.
PORTABLE = re.compile(r"(?!\d+; \d+ \d+ ACL pg_catalog )")
COPY = re.compile(rb"COPY (\S+) \((.+)\) FROM stdin;\n")
# Commands of psql, and settings that older servers do not know: neither changes what is loaded.
LEFT_OUT = (b"\\restrict ", b"\\unrestrict ", b"SET transaction_timeout ")
SEARCH_PATH = b"set_config('search_path', '', false)"
COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = 'auth.users'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""


def load(conn: psycopg.Connection, file: Path) -> None:
    """Put a backup in place of a migrated database that has no organization; conn: the owner's, in autocommit mode.

    Raises ClusterError for a file that is no backup, MigrationError for a backup of a newer version, psycopg.Error when
    something cannot be loaded.
    """
    with chosen(file, OURS) as parts, conn.transaction():
        _drop(conn)
        with _pg_restore("--data-only", "--schema=auth", "--table=users", "--file=-", file) as script:
            _load_people(conn, script)
        with _pg_restore("--no-owner", f"--use-list={parts}", "--file=-", file) as script:
            _run(conn, script)
        pending_files(conn, {})
        conn.execute("delete from private.schema_files where path not like 'db/migrations/%'")


@contextmanager
def chosen(file: Path, wanted: re.Pattern[str]) -> Iterator[str]:
    """Name of a file for `pg_restore --use-list` that has the matching lines of `pg_restore --list`.

    Raises ClusterError for a file that is no backup.
    """
    with tempfile.NamedTemporaryFile("w", prefix="spendai-", suffix=".list") as parts:
        with _pg_restore("--list", file) as lines:
            parts.writelines(line for line in map(bytes.decode, lines) if wanted.match(line))
        parts.flush()
        yield parts.name


@contextmanager
def _pg_restore(*words: str | Path) -> Iterator[Iterable[bytes]]:
    """Lines that pg_restore writes."""
    with tempfile.TemporaryFile() as errors:
        command = [find_bindir() / "pg_restore", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:  # noqa: S603
            yield process.stdout
        if process.returncode:
            errors.seek(0)
            raise ClusterError(errors.read().decode(errors="replace").strip())


def _drop(conn: psycopg.Connection) -> None:
    """Drop what the migrations made. Other tables of schema public, which may be another program's, stay."""
    conn.execute("set local client_min_messages = warning")
    for kind, folder in (("view", "views"), ("table", "policies")):
        for path in sorted((DB / folder).glob("*.sql")):
            conn.execute(f"drop {kind} if exists public.{path.stem} cascade")
    conn.execute("drop schema app, private cascade")


def _load_people(conn: psycopg.Connection, script: Iterable[bytes]) -> None:
    """Copy the rows of auth.users in the columns that the new table has too."""
    lines = iter(script)
    for line in lines:
        if copied := COPY.fullmatch(line):
            names = [name.strip('" ') for name in copied[2].decode().split(",")]
            fields = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
            conn.execute(sql.SQL("create temporary table people ({}) on commit drop").format(fields))
            _copy(conn, b"copy pg_temp.people from stdin", lines)
            types = {name: kind for name, kind in conn.execute(COLUMNS).fetchall() if name in names}
            into = sql.SQL(", ").join(map(sql.Identifier, types))
            values = sql.SQL(", ").join(
                sql.SQL("{}::" + kind).format(sql.Identifier(name)) for name, kind in types.items()
            )
            conn.execute(sql.SQL("insert into auth.users ({}) select {} from pg_temp.people").format(into, values))


def _run(conn: psycopg.Connection, script: Iterable[bytes]) -> None:
    """Run a script as pg_restore writes it: statements, and between them the rows of tables."""
    lines, statements = iter(script), []
    for line in lines:
        if COPY.fullmatch(line):
            conn.execute(b"".join(statements))
            statements.clear()
            _copy(conn, line, lines)
        elif not line.startswith(LEFT_OUT):
            # The script's settings must end with the transaction, since a pooler may give its session to others.
            local = b"SET LOCAL" + line[3:] if line.startswith(b"SET ") else line
            statements.append(local.replace(SEARCH_PATH, SEARCH_PATH.replace(b"false", b"true")))
    conn.execute(b"".join(statements))


def _copy(conn: psycopg.Connection, statement: bytes, lines: Iterator[bytes]) -> None:
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            if line == b"\\.\n":
                return
            copy.write(line)
