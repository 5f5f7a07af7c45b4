"""``flask organizations purge``: removes organizations that an admin asked to delete seven days ago; run it daily."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.commands.database import owner_connection
from webapp.postgres import embedded
from webapp.written import many

DUE = "select o.id, o.name from public.organizations o where app.organization_due(o.id) order by o.deletes_at"


@click.group()
def organizations() -> None:
    """Companies that use this install."""


@organizations.command()
@click.option("--dry-run", is_flag=True, help="Only say which would be removed.")
@with_appcontext
def purge(dry_run: bool) -> None:
    """Remove the organizations that are due. Each with everything, in one transaction. There is no way back."""
    config = current_app.config["SPENDAI"]
    with owner_connection() as conn:
        due = conn.execute(DUE).fetchall()
    if not due:
        click.echo("no organization is to be removed now")
    for org_id, name in due:
        if dry_run:
            click.echo(f"{name} ({org_id}) would be removed")
            continue
        with owner_connection() as conn:
            (rows,) = conn.execute("select app.organization_purge(%s)", [org_id]).fetchone()
            (analysts_left,) = conn.execute("select exists (select from private.analyst_logins)").fetchone()
        if config.embedded:
            embedded.let_analysts_in(config, analysts_left)
        click.echo(f"{name} ({org_id}) is removed: {many(rows, 'row')}")
