"""``flask backup FILE`` and ``flask restore FILE``: the embedded database in one file, also while calls go through."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click
import psycopg
from flask import current_app
from flask.cli import with_appcontext
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from webapp import db
from webapp.commands.database import owner_database
from webapp.config import Config
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import find_bindir

USED = "select exists (select from public.organizations)"
Words = str | os.PathLike[str]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Write the embedded database to FILE. Keep SPENDAI_HOME/secrets with it: stored OpenAI keys open with it alone."""
    _only_embedded(current_app.config["SPENDAI"])
    with owner_database() as database:
        draft = file.with_name(file.name + ".part")
        _run("pg_dump", database.server.admin_dsn, "--format=custom", "--file", draft)
        draft.chmod(0o600)
        draft.replace(file)  # a file of that name is always a whole backup
    click.echo(f"{file}: {file.stat().st_size} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def restore(file: Path) -> None:
    """Fill the embedded database of a new SPENDAI_HOME from FILE; SPENDAI_HOME/secrets comes from the old one."""
    config = current_app.config["SPENDAI"]
    _only_embedded(config)
    with owner_database() as (dsn, server):
        migrate(dsn, passwords=db.passwords(config))  # makes the roles, which are in no dump
        with psycopg.connect(server.admin_dsn) as conn:
            if conn.execute(USED).fetchone()[0]:
                raise click.ClickException("there is data here already: restore into a new SPENDAI_HOME")
        elsewhere = make_conninfo(server.admin_dsn, dbname="template1")  # the database itself is made anew
        _run("pg_restore", elsewhere, "--clean", "--if-exists", "--create", "--exit-on-error", file)
        migrate(dsn, passwords=db.passwords(config))
    click.echo("restored; make run starts with it")


def _only_embedded(config: Config) -> None:
    if not config.embedded:
        raise click.ClickException("with DATABASE_URL, its provider's backups or your own pg_dump do this")


def _run(program: str, dsn: str, *words: Words) -> None:
    """Run one of Postgres' programs; the password goes through the environment, which other users cannot read."""
    parts = conninfo_to_dict(dsn)
    environ = os.environ | {"PGPASSWORD": str(parts.pop("password"))}
    command: list[Words] = [find_bindir() / program, "--dbname", make_conninfo(**parts), *words]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"{program}: {done.stderr.strip()}")
