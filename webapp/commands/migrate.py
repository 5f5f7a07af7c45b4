"""``flask migrate``: brings the database up to this checkout."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp import db
from webapp.commands.database import owner_connection
from webapp.postgres import migrations


@click.command()
@click.option("--check", is_flag=True, help="Only list what would be applied; exit 1 when there is something.")
@with_appcontext
def migrate(check: bool) -> None:
    """Bring the database up to this checkout. Migrations, functions, views, policies, prices, passwords, months."""
    passwords = db.passwords(current_app.config["SPENDAI"])
    with owner_connection(autocommit=True) as conn:
        done = (migrations.pending if check else migrations.apply)(conn, passwords)
    for name in done:
        click.echo(name)
    click.echo(f"{len(done)} to apply" if check else f"{len(done)} applied")
    if check and done:
        raise SystemExit(1)
