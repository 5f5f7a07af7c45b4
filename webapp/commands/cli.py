"""Commands for the operator: ``flask migrate``, ``flask users reset EMAIL``, ``flask analyst …`` (cli_analyst.py),
``flask prices …`` (cli_prices.py), ``flask calls …`` (cli_calls.py), ``flask backup|restore`` (cli_backup.py),
``flask retention`` (cli_retention.py), ``flask doctor`` (doctor.py)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg
from flask import Flask, current_app
from flask.cli import with_appcontext

from webapp import db
from webapp.commands import analyst as cli_analyst
from webapp.commands import backup as cli_backup
from webapp.commands import calls as cli_calls
from webapp.commands import doctor
from webapp.commands import prices as cli_prices
from webapp.commands import retention as cli_retention
from webapp.config import Config
from webapp.postgres import embedded, migrations
from webapp.postgres.programs import ClusterError
from webapp.secrets.proxy_keys import key_hash


def init_app(app: Flask) -> None:
    """Make the commands part of ``flask``."""
    app.cli.add_command(migrate)
    app.cli.add_command(users)
    app.cli.add_command(cli_analyst.analyst)
    app.cli.add_command(cli_prices.prices)
    app.cli.add_command(cli_calls.calls)
    app.cli.add_command(cli_backup.backup)
    app.cli.add_command(cli_backup.restore)
    app.cli.add_command(cli_retention.retention)
    app.cli.add_command(doctor.doctor)


@contextmanager
def owner(config: Config) -> Iterator[str]:
    """Connection string of the database's owner; the embedded server is started for the time if it does not run."""
    server = None
    try:
        server = embedded.ensure(config) if config.embedded else None
        yield server.owner_dsn if server else config.database_url
    except (ClusterError, psycopg.OperationalError) as error:
        raise click.ClickException(f"the database cannot be reached: {error}") from None
    finally:
        if server:
            server.stop()


def _as_owner(config: Config, text: str, *args: object) -> tuple[object, ...] | None:
    """First row of a query run as the database's owner."""
    with owner(config) as dsn, psycopg.connect(dsn, prepare_threshold=None) as conn:
        return conn.execute(text, args).fetchone()


@click.command()
@click.option("--check", is_flag=True, help="Only list what would be done; exit 1 when there is something.")
@with_appcontext
def migrate(check: bool) -> None:
    """Bring the database up to this checkout: migrations, functions, views, policies, prices, passwords."""
    config = current_app.config["SPENDAI"]
    try:
        with owner(config) as dsn:
            done = migrations.migrate(dsn, passwords=db.passwords(config), check=check)
    except migrations.MigrationError as error:
        raise click.ClickException(str(error)) from None
    for name in done:
        click.echo(name)
    click.echo(f"{len(done)} to apply" if check else f"{len(done)} applied")
    if check and done:
        raise SystemExit(1)


@click.group()
def users() -> None:
    """People who can sign in."""


@users.command()
@click.argument("email")
@with_appcontext
def reset(email: str) -> None:
    """Print a link with which EMAIL sets a new password."""
    config, token = current_app.config["SPENDAI"], secrets.token_urlsafe(32)
    if config.supabase_url:
        raise click.ClickException("Supabase keeps the passwords; docs/deploy.md says how to set a new one there")
    row = _as_owner(config, "select app.password_reset_create(%s, %s)", email, key_hash(token))
    if not row or row[0] is None:
        raise click.ClickException(f"nobody signs in with {email}")
    click.echo(f"{config.public_url}/password/{token}\nGood once, for 24 hours. Whoever opens it can set the password.")
