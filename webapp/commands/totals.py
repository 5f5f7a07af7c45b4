"""``flask totals differences|rebuild``: sums of days and hours that are not those of their calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from webapp.commands.database import only_organization, owner_connection
from webapp.written import exact, many

DAY = click.DateTime(["%Y-%m-%d"])
DIFFERENCES = """
select d.day, o.name, d.part, d.calls, d.cost
from app.totals_differences(%s) d join public.organizations o on o.id = d.org_id
order by d.day, o.name, d.part
"""


@click.group()
def totals() -> None:
    """Sums of days and hours, which are kept beside the calls."""


@totals.command()
@click.option("--from", "since", type=DAY, metavar="DAY", help="First day, UTC. Default: 35 days ago.")
@with_appcontext
def differences(since: datetime | None) -> None:
    """List the days whose sums differ. Prints day (UTC), organization, part, and by how many calls and dollars."""
    first = since.date() if since else datetime.now(UTC).date() - timedelta(days=35)
    with owner_connection() as conn:
        rows = conn.execute(DIFFERENCES, [first]).fetchall()
    for day, name, part, calls, cost in rows:
        click.echo(f"{day}\t{name}\t{part}\t{many(calls, 'call')}\t{exact(cost)}")
    if rows:
        raise click.exceptions.Exit(1)
    click.echo(f"since {first} all sums are those of their calls")


@totals.command()
@click.argument("day", type=DAY)
@click.option("--org", help="Organization: its name or id. May be left out where there is only one.")
@click.option("--reason", required=True, help="Kept in the audit log.")
@with_appcontext
def rebuild(day: datetime, org: str | None, reason: str) -> None:
    """Add up the calls of a DAY (UTC) again. For sums that are wrong while the calls are right; new calls wait."""
    with owner_connection() as conn:
        org_id, name = only_organization(conn, org, "true", "there is no organization yet")
        words = "select * from app.totals_rebuild(%s, %s, %s)"
        calls_before, cost_before, calls, cost = conn.execute(words, [org_id, day.date(), reason]).fetchone()
    now, before = (f"{many(n, 'call')}, {exact(amount)}" for n, amount in ((calls, cost), (calls_before, cost_before)))
    click.echo(f"{name}, {day:%Y-%m-%d}: {now} (before: {before})")
