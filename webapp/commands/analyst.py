"""``flask analyst add|list|remove``: logins of Postgres with which analysts read their organization's views."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlencode

import click
from flask import current_app
from flask.cli import with_appcontext
from psycopg.conninfo import conninfo_to_dict

from webapp.commands.database import owner_connection
from webapp.config import Config
from webapp.postgres import embedded
from webapp.postgres.logins import user_of

LISTENS = "select current_setting('listen_addresses') <> ''"
LOGINS = """
select a.role_name, o.name, a.name, to_char(a.created_at at time zone 'utc', 'YYYY-MM-DD')
from private.analyst_logins a join public.organizations o on o.id = a.org_id order by a.created_at, a.role_name
"""


SHARED = """\
{} organizations share this database. The login reads rows of one of them only, but it can find out how many calls all
of them make together and when, and it can slow down the server for all: see docs/security.md. Where they do not trust
each other, use the API instead."""
HARMFUL = "A superuser has not limited yet what analysts can do to this server: flask doctor prints the statements."


@click.group()
def analyst() -> None:
    """SQL logins of analysts."""


@analyst.command()
@click.option("--org", required=True, help="Organization: its name or id.")
@click.option("--name", required=True, help="Who or what the login is for; kept in the audit log.")
@with_appcontext
def add(org: str, name: str) -> None:
    """Make a login that reads one organization's views. Its connection string is printed once and stored nowhere."""
    config, password = current_app.config["SPENDAI"], secrets.token_urlsafe(24)
    with owner_connection() as conn:
        verifier = conn.pgconn.encrypt_password(password.encode(), b"", b"scram-sha-256").decode()
        (role,) = conn.execute("select app.analyst_create(%s, %s, %s)", [org, name, verifier]).fetchone()
        (organizations,) = conn.execute("select count(*) from public.organizations").fetchone()
        harmful = bool(embedded.limits(conn))
        (listens,) = conn.execute(LISTENS).fetchone()
        dsn = conn.info.dsn  # without the owner's password
    url = connection_url(config, dsn, role, password)  # after the commit, so that the printed login exists
    click.echo("This is shown once; whoever has it can read the organization's views:", err=True)
    click.echo(url)
    if organizations > 1:
        click.echo(SHARED.format(organizations), err=True)
    if harmful:
        click.echo(HARMFUL, err=True)
    if config.embedded and not listens:
        click.echo("The database listens there from the next start of SpendAI on (Ctrl-C, make run).", err=True)


@analyst.command("list")
@with_appcontext
def show() -> None:
    """List the logins. Prints login, organization, who or what it is for, day on which it was made."""
    with owner_connection() as conn:
        for row in conn.execute(LOGINS):
            click.echo("\t".join(row))


@analyst.command()
@click.argument("login")
@with_appcontext
def remove(login: str) -> None:
    """Remove LOGIN and end its sessions."""
    config = current_app.config["SPENDAI"]
    with owner_connection() as conn:
        conn.execute("select app.analyst_remove(%s)", [login])
        (some_left,) = conn.execute("select exists (select from private.analyst_logins)").fetchone()
    if config.embedded:
        embedded.let_analysts_in(config, some_left)
    click.echo(f"{login} is removed")


def connection_url(config: Config, dsn: str, role: str, password: str) -> str:
    """The login's connection string as a URL, the form that psql, pandas, SQLAlchemy and BI tools all take.

    dsn: the owner's, for host, port, database and TLS. The embedded Postgres will listen for analysts from its next
    start on.
    """
    parts = conninfo_to_dict(dsn)
    if config.embedded:
        parts["host"], parts["port"] = embedded.let_analysts_in(config, True)
    host, port = str(parts.get("host", "localhost")), parts.get("port", 5432)
    host = f"[{host}]" if ":" in host else quote(host, safe="")
    kept = {key: value for key, value in parts.items() if key in ("sslmode", "sslrootcert")}
    database = quote(str(parts.get("dbname", "postgres")))
    url = f"postgresql://{user_of(role, parts.get('user'))}:{password}@{host}:{port}/{database}"
    return url + (f"?{urlencode(kept)}" if kept else "")
