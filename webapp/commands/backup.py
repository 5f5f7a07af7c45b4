"""``flask backup FILE`` and ``flask restore FILE``: the embedded database in one file.

A backup can be taken while the gateway takes calls. It is restored into a SPENDAI_HOME without data, or into the
database of DATABASE_URL, where no organization may be yet (webapp/postgres/loading.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import click
import psycopg
from flask import current_app
from flask.cli import with_appcontext
from psycopg.conninfo import make_conninfo

from webapp import db
from webapp.commands.database import owner_database
from webapp.postgres import embedded
from webapp.postgres.loading import PORTABLE, chosen, load
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import ClusterError, find_bindir, for_client

# A line of `pg_restore --list` in a backup of an embedded database; a Postgres of one's own has another owner.
EMBEDDED = re.compile(r"^\d+; \d+ \d+ SCHEMA - app postgres$", re.MULTILINE)
USED = "select exists (select from public.organizations)"
Words = str | os.PathLike[str]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Write the embedded database to FILE. Keep SPENDAI_HOME/secrets too: they alone decrypt the stored OpenAI keys."""
    if not current_app.config["SPENDAI"].embedded:
        message = "this is for the embedded database; with DATABASE_URL use its provider's backups or pg_dump"
        raise click.ClickException(message)
    if file.exists() and not file.is_file():  # a device or pipe would be replaced: root could take /dev/null away
        raise click.ClickException(f"{file} is no ordinary file")
    with owner_database() as database:
        draft = None  # each run has its own, so FILE is always a complete backup
        try:
            # Only for this user: pg_dump writes the hashes of passwords into it.
            handle, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent)
            os.close(handle)
            draft = Path(name)
            _run("pg_dump", database.server.admin_dsn, "--format=custom", "--file", draft)
            draft.replace(file)
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
        finally:
            if draft:
                draft.unlink(missing_ok=True)
    click.echo(f"{file}: {file.stat().st_size} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def restore(file: Path) -> None:
    """Fill a new database from FILE. That is the one of a new SPENDAI_HOME, or of DATABASE_URL.

    First copy the secrets: SPENDAI_HOME/secrets, or SECRET_KEY and SPENDAI_ENCRYPTION_KEYS.
    """
    config = current_app.config["SPENDAI"]
    with owner_database() as (dsn, server):
        migrate(dsn, passwords=db.passwords(config))  # makes the roles, which a dump does not contain
        with psycopg.connect(server.admin_dsn if server else dsn, autocommit=True, prepare_threshold=None) as conn:
            if conn.execute(USED).fetchone()[0]:
                raise click.ClickException(f"{config.home if server else 'the database of DATABASE_URL'} has data "
                                           "already: restore into a new one")  # fmt: skip
        try:
            if server:
                with chosen(file, PORTABLE) as parts:
                    if not EMBEDDED.search(Path(parts).read_text()):
                        raise click.ClickException(f"{file} is not of an embedded database: name an empty database of "
                                                   "your own in DATABASE_URL to restore it there")  # fmt: skip
                    server.restoring.touch()
                    _restore(server.admin_dsn, file, parts)
                embedded.apply_shim(config.home, server)
            else:
                with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
                    load(conn, file)
        except ClusterError as error:
            raise click.ClickException(str(error)) from None
        except psycopg.Error as error:
            message = f"{file} cannot be restored, and nothing was changed: {db.in_one_line(error)}"
            raise click.ClickException(message) from None
        migrate(dsn, passwords=db.passwords(config))
        if server:
            server.restoring.unlink()
    click.echo("restored: start SpendAI with make run")


def _restore(dsn: str, file: Path, parts: str) -> None:
    """Drop the embedded database and make it again from a backup; dsn: a superuser's. parts: what of it, see chosen."""
    elsewhere = make_conninfo(dsn, dbname="template1")
    _run("pg_restore", elsewhere, "--clean", "--if-exists", "--create", "--exit-on-error", f"--use-list={parts}", file)


def _run(program: str, dsn: str, *words: Words) -> None:
    """Run a program of Postgres."""
    shown, environ = for_client(dsn)
    command: list[Words] = [find_bindir() / program, "--dbname", shown, *words]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"{program}: {done.stderr.strip()}")
