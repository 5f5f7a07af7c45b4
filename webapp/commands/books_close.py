"""``flask books close`` and ``reopen``: the operator closes a month of OpenAI's books, or reopens it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import click
import psycopg
from flask.cli import with_appcontext

from webapp.books.close import read_month
from webapp.commands.calls import Dollars
from webapp.commands.database import only_organization, owner_connection
from webapp.written import exact


class Month(click.ParamType):
    """A month written as 2026-10: the date of its first day."""

    name = "month"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        return read_month(value) or self.fail("write a month as 2026-10", param, ctx)


def with_books(conn: psycopg.Connection[Any], org: str | None) -> tuple[UUID, str]:
    """Id and name of this organization; without one, of the only organization that has OpenAI's books."""
    which = "(%(org)s::text is not null or exists (select from public.openai_fetches f where f.org_id = o.id))"
    return only_organization(conn, org, which, "no organization has fetched OpenAI's books")


@click.command()
@click.argument("month", type=Month())
@click.option("--org", help="Organization: its name or id. Not needed when only one has OpenAI's books.")
@click.option("--note", default="", help="Kept with the month. Required when an amount is unexplained.")
@click.option("--invoice", type=Dollars(), help="Amount of OpenAI's invoice, in US dollars.")
@click.option(
    "--confirm", is_flag=True, help="Close although a day was fetched only once, or its last two fetches differ."
)
@with_appcontext
def close(month: date, org: str | None, note: str, invoice: Decimal | None, confirm: bool) -> None:
    """Freeze the sums of MONTH, such as 2026-10. Later changes are shown as differences to them."""
    with owner_connection() as conn:
        org_id, name = with_books(conn, org)
        conn.execute("select app.month_close_for(%s, %s, %s, %s, %s)", [org_id, month, note, invoice, confirm])
        openai, ledger, unexplained, sha256 = conn.execute(
            "select closed_openai, closed_ledger, closed_unexplained, sha256 from app.month_of(%s, %s)", [org_id, month]
        ).fetchone()
    sums = f"OpenAI {exact(openai)}, ledger {exact(ledger)}, unexplained {exact(unexplained)}"
    click.echo(f"{month:%Y-%m} of {name} is closed: {sums}")
    click.echo(f"sha256 {sha256}")


@click.command()
@click.argument("month", type=Month())
@click.option("--org", help="Organization: its name or id. Not needed when only one has OpenAI's books.")
@click.option("--note", required=True, help="Why; kept with the month.")
@with_appcontext
def reopen(month: date, org: str | None, note: str) -> None:
    """Reopen the closed MONTH, such as 2026-10. What was frozen stays readable."""
    with owner_connection() as conn:
        org_id, name = with_books(conn, org)
        conn.execute("select app.month_reopen_for(%s, %s, %s)", [org_id, month, note])
    click.echo(f"{month:%Y-%m} of {name} is open again")


def add_to(group: click.Group) -> None:
    """Make both commands part of ``flask books``."""
    group.add_command(close)
    group.add_command(reopen)
