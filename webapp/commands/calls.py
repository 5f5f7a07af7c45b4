"""``flask calls settle``: the operator closes by hand a call that stayed open, or whose cost is not known."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

import click
from flask.cli import with_appcontext

from webapp.commands.database import owner_connection
from webapp.written import exact


class Dollars(click.ParamType):
    """An exact decimal number. The database checks its range."""

    name = "dollars"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)


@click.group()
def calls() -> None:
    """Single calls."""


@calls.command()
@click.argument("call", type=click.UUID)
@click.option("--cost", type=Dollars(), help="What the call cost, in US dollars.")
@click.option("--no-usage", is_flag=True, help="What the call cost will never be known.")
@click.option("--reason", required=True, help="Kept in the audit log.")
@with_appcontext
def settle(call: UUID, cost: Decimal | None, no_usage: bool, reason: str) -> None:
    """Settle CALL, which is open, in doubt, or settled without a cost (then --cost only).

    If its real end or its price still arrives, the difference becomes a correction.
    """
    if (cost is None) != no_usage:
        raise click.UsageError("give either --cost DOLLARS or --no-usage")
    with owner_connection() as conn:
        conn.execute("select app.call_end(null, %s, %s, %s)", [call, cost, reason])
    click.echo(f"{call} is settled: {'its cost stays unknown' if no_usage else exact(cost)}")
