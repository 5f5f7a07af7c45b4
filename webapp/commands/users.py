"""``flask users``: ``reset EMAIL`` prints a link that sets a new password, ``delete EMAIL`` deletes an account."""

from __future__ import annotations

import secrets

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.commands.database import owner_connection
from webapp.secrets.hashing import sha256_of


@click.group()
def users() -> None:
    """People who can sign in."""


PERSON = """
select id from auth.users where lower(email) = lower(btrim(%s)) and deleted_at is null and not is_sso_user
"""


@users.command()
@click.argument("email")
@with_appcontext
def reset(email: str) -> None:
    """Print a link with which EMAIL sets a new password."""
    config, token = current_app.config["SPENDAI"], secrets.token_urlsafe(32)
    if config.supabase_url:
        raise click.ClickException("Supabase keeps the passwords: the log-in page has it send a link to set a new one")
    with owner_connection() as conn:
        row = conn.execute("select app.password_reset_create(%s, %s)", [email, sha256_of(token)]).fetchone()
    if not row or row[0] is None:
        raise click.ClickException(f"nobody signs in with {email}")
    click.echo(f"{config.public_url}/password/{token}\nIt works once, within 24 hours, for whoever opens it.")


@users.command()
@click.argument("email")
@with_appcontext
def delete(email: str) -> None:
    """Delete the account of EMAIL with its sessions; calls, keys and the audit log stay."""
    if current_app.config["SPENDAI"].supabase_url:
        raise click.ClickException("Supabase keeps the accounts: delete it in its dashboard")
    with owner_connection() as conn:
        person = conn.execute(PERSON, [email]).fetchone()
        if not person:
            raise click.ClickException(f"nobody signs in with {email}")
        conn.execute("select app.account_remove(%s)", person)
    click.echo(f"the account {email} is deleted")
