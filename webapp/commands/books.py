"""``flask books``: copies OpenAI's own books, with an admin key or from a file, to compare them with the ledger."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from flask import current_app
from flask.cli import with_appcontext

from webapp.books.dashboard_csv import read_dashboard_csv
from webapp.books.fetching import fetch_as_owner
from webapp.books.values import BooksError
from webapp.commands.database import only_organization, organizations, owner_connection
from webapp.written import many

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def books() -> None:
    """OpenAI's own books beside the ledger."""


@books.command()
@click.option(
    "--from", "since", type=DAY, metavar="DAY", help="First day, UTC. Default: 7 before yesterday; first time: 34."
)
@click.option("--to", "until", type=DAY, metavar="DAY", help="Day after the last one, UTC. Default: today.")
@click.option("--org", help="Only this organization, by name or id. Default: all that have an admin key.")
@with_appcontext
def fetch(since: datetime | None, until: datetime | None, org: str | None) -> None:
    """Fetch OpenAI's books of some days. What fails is stored as a failed fetch; the older fetches still count."""
    config, failed = current_app.config["SPENDAI"], []
    first, end = (moment and moment.date() for moment in (since, until))
    with owner_connection(autocommit=True) as conn:
        for org_id, name in _with_key(conn, org):
            try:
                done = fetch_as_owner(conn, config, org_id, first, end)
            except BooksError as error:
                raise click.UsageError(str(error)) from None
            if done.error:
                failed.append(f"{name}: {done.error}")
            else:
                days, lines = many(done.days, "day"), many(done.lines, "line")
                click.echo(f"{name}: {days} from {done.from_day}, {lines} of OpenAI's bill")
    if failed:
        raise click.ClickException("; ".join(failed))


@books.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--org", help="Organization: its name or id. May be left out where there is only one.")
@with_appcontext
def import_(file: Path, org: str | None) -> None:
    """Read OpenAI's books from a CSV file. FILE has costs, exported from its dashboard; its days count as fetched."""
    try:
        made = read_dashboard_csv(file)
    except BooksError as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    with owner_connection() as conn:
        org_id, name = only_organization(conn, org, "not o.is_demo", "there is no organization yet")
        conn.execute("select app.books_store(%s, %s::jsonb)", [org_id, json.dumps(made)])
    days, lines = many(len(made["days"]), "day"), many(len(made["costs"]), "line")
    click.echo(f"{name}: {days} from {made['from_day']}, {lines} of OpenAI's bill")


def _with_key(conn: psycopg.Connection[Any], org: str | None) -> list[tuple[UUID, str]]:
    """Organizations that have an admin key: id and name."""
    found = organizations(conn, org, "exists (select from private.admin_keys k where k.org_id = o.id)")
    if not found:
        whose = f" of an organization called {org!r}" if org else ""
        raise click.ClickException(f"no OpenAI admin key{whose} is stored: an admin stores it on the Settings page")
    return found
