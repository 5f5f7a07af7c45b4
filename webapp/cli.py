"""Commands for the operator: ``flask users reset EMAIL``."""

from __future__ import annotations

import secrets

import click
import psycopg
from flask import Flask, current_app
from flask.cli import with_appcontext

from webapp import embedded
from webapp.config import Config
from webapp.keys import key_hash
from webapp.programs import ClusterError


def init_app(app: Flask) -> None:
    """Make the commands part of ``flask``."""
    app.cli.add_command(users)


def _as_owner(config: Config, text: str, *args: object) -> tuple[object, ...] | None:
    """First row of a query run as the database's owner."""
    server = None
    try:
        server = embedded.ensure(config) if config.embedded else None
        with psycopg.connect(server.owner_dsn if server else config.database_url, prepare_threshold=None) as conn:
            return conn.execute(text, args).fetchone()
    except (ClusterError, psycopg.OperationalError) as error:
        raise click.ClickException(f"the database cannot be reached: {error}") from None
    finally:
        if server:
            server.stop()


@click.group()
def users() -> None:
    """People who can sign in."""


@users.command()
@click.argument("email")
@with_appcontext
def reset(email: str) -> None:
    """Print a link with which EMAIL sets a new password."""
    config, token = current_app.config["SPENDAI"], secrets.token_urlsafe(32)
    row = _as_owner(config, "select app.password_reset_create(%s, %s)", email, key_hash(token))
    if not row or row[0] is None:
        raise click.ClickException(f"nobody signs in with {email}")
    click.echo(f"{config.public_url}/password/{token}\nGood once, for 24 hours. Whoever opens it can set the password.")
