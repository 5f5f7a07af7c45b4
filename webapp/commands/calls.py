"""``flask calls in-doubt|settle``: the operator closes by hand a call that stayed open, or whose cost is not known."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

import click
from flask.cli import with_appcontext

from webapp.commands.database import owner_connection
from webapp.written import exact

IN_DOUBT = """
select u.id::text, to_char(u.started_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS'), o.name, p.name, u.endpoint,
    coalesce(u.model_requested, '')
from public.usage_logs u join public.organizations o on o.id = u.org_id join public.projects p on p.id = u.project_id
where u.state = 'open' and u.deadline_at < now() order by u.started_at
"""


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


@calls.command("in-doubt")
@with_appcontext
def in_doubt() -> None:
    """List the calls in doubt. Prints id, when (UTC), organization, project, endpoint, model asked for."""
    with owner_connection() as conn:
        for row in conn.execute(IN_DOUBT):
            click.echo("\t".join(row))


@calls.command()
@click.argument("call", type=click.UUID)
@click.option("--cost", type=Dollars(), help="What the call cost, in US dollars.")
@click.option("--no-usage", is_flag=True, help="What the call cost will never be known.")
@click.option("--reason", required=True, help="Kept in the audit log.")
@with_appcontext
def settle(call: UUID, cost: Decimal | None, no_usage: bool, reason: str) -> None:
    """Settle CALL by hand. It is open, in doubt, or settled without a cost (then --cost only).

    If its real end or its price still arrives, the difference becomes a correction.
    """
    if (cost is None) != no_usage:
        raise click.UsageError("give either --cost DOLLARS or --no-usage")
    with owner_connection() as conn:
        conn.execute("select app.call_end(null, %s, %s, %s)", [call, cost, reason])
    click.echo(f"{call} is settled: {'its cost stays unknown' if no_usage else exact(cost)}")
