"""``flask migrate``: brings the database up to this checkout."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp import db
from webapp.commands.owner import owner
from webapp.postgres import migrations


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
