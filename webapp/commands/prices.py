"""``flask prices sync|reprice|explain``: the price list, and the costs of calls worked out from it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from webapp.commands import price_source
from webapp.commands.database import owner_connection
from webapp.commands.explain import explained
from webapp.written import exact

SYNC = "select * from app.price_sync(%s, %s, %s, %s)"
# One row for each organization and one for the total of all: the sums are made in SQL.
REPRICE = """
select coalesce(organization, 'total') as organization, sum(calls) as calls, sum(filled_calls) as filled_calls,
    sum(filled_cost) as filled_cost, sum(adjusted_calls) as adjusted_calls, sum(adjusted_cost) as adjusted_cost,
    sum(unpriced_calls) as unpriced_calls
from app.reprice(%s, %s, %s, %s)
group by grouping sets ((org_id, organization), ())
order by grouping(org_id), organization
"""


@click.group()
def prices() -> None:
    """The price list, and the costs of calls worked out from it."""


@prices.command()
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="A data.json of genai-prices.")
@click.option("--dry-run", is_flag=True, help="Only print the difference.")
@with_appcontext
def sync(file: Path | None, dry_run: bool) -> None:
    """Add prices of genai-prices that are new or have changed to the price list."""
    try:
        source = price_source.from_file(file) if file else price_source.from_package()
    except price_source.SourceError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{source.name}: {len(source.rows)} prices read, comparing …", err=True)
    with owner_connection(row_factory=dict_row) as conn:
        found = conn.execute(SYNC, [source.name, Jsonb(source.rows), Jsonb(source.aliases), dry_run]).fetchall()
    for row in found:
        if row["change"] != "equal":
            click.echo(_difference(row))
    for words in source.ignored:
        click.echo(f"ignored\t{words}")
    counts = Counter(row["change"] for row in found)
    words = ", ".join(f"{counts[change]} {change}" for change in ("equal", "changed", "new", "kept", "missing"))
    click.echo(f"{words}{'; nothing was written' if dry_run else ''}")


def _difference(row: dict[str, Any]) -> str:
    """A row of app.price_sync as a line, its change first, then:

    gpt-5 input_text flex >272000: $1.25 (genai-prices 0.2.3) → $1.50 per 1000000 from 2026-11-01
    """
    what = f"{row['model']} {row['dimension']} {row['service_tier']}"
    what += f" >{row['context_min_tokens']}" if row["context_min_tokens"] else ""
    old = f"{exact(row['old_price'])} ({row['old_source']})" if row["old_price"] is not None else "no price"
    if row["change"] == "missing":
        return f"missing\t{what}: {old} is not in the source, and stays in the list"
    new = f"{exact(row['new_price'])} per {row['unit_qty']}"
    if row["change"] == "kept":
        return f"kept\t{what}: {old}, the source says {new}"
    since = f"{row['valid_from']:%Y-%m-%d}" if row["valid_from"] else "the beginning"
    return f"{row['change']}\t{what}: {old} → {new} from {since}"


class Moment(click.ParamType):
    """A date or an RFC 3339 date and time; UTC unless it has another offset."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a date such as {date(2026, 1, 31)} (UTC)", param, ctx)


@prices.command()
@click.option("--from", "since", type=Moment(), required=True, help="First moment, UTC.")
@click.option("--to", "until", type=Moment(), required=True, help="End of the period, itself excluded, UTC.")
@click.option("--reason", required=True, help="Kept with every correction and fill.")
@click.option("--dry-run", is_flag=True, help="Only print what would be done.")
@with_appcontext
def reprice(since: datetime, until: datetime, reason: str, dry_run: bool) -> None:
    """Price the calls of a period again: a missing cost is filled in, a cost that differs gets a correction."""
    with owner_connection(row_factory=dict_row) as conn:
        conn.add_notice_handler(lambda message: click.echo(message.message_primary, err=True))
        rows = conn.execute(REPRICE, [since, until, reason, dry_run]).fetchall()
    for row in rows:
        click.echo(
            f"{row['organization']}: {row['calls'] or 0} calls, {row['filled_calls'] or 0} filled"
            f" ({exact(row['filled_cost'] or Decimal(0))}), {row['adjusted_calls'] or 0} corrected"
            f" ({exact(row['adjusted_cost'] or Decimal(0))}), {row['unpriced_calls'] or 0} still without a price"
        )
    if dry_run:
        click.echo("nothing was written")


@prices.command()
@click.argument("call_id", type=click.UUID)
@with_appcontext
def explain(call_id: UUID) -> None:
    """Show how the cost of CALL_ID came about, line by line."""
    with owner_connection(row_factory=dict_row) as conn:
        lines = explained(conn, call_id)
    if lines is None:
        raise click.ClickException(f"there is no call {call_id}")
    click.echo("\n".join(lines))
