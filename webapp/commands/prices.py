"""``flask prices sync|undo|reprice|reprice-new|explain``: the price list, and the costs of calls worked out from it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from webapp.commands import price_files, price_report
from webapp.commands.database import owner_connection
from webapp.commands.explain import explained
from webapp.written import exact, many

SYNC = "select * from app.price_sync(%s, %s, %s)"
UNDO = "select * from app.price_sync_undo(%s, %s)"
REPRICE_NEW = "select * from app.reprice_new(%s, %s)"
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


class Accepted(click.ParamType):
    """MODEL or MODEL=SOURCE, as (model, source or None)."""

    name = "model[=source]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str | None]:
        model, _, source = value.partition("=")
        if source not in ("", *price_files.MEMBERS):
            self.fail(f"{source!r} is not one of {', '.join(price_files.MEMBERS)}", param, ctx)
        return model.strip().lower(), source or None


@prices.command()
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="genai-prices' data.json, litellm's model_prices_and_context_window.json, or a wheel; twice for both.",
)
@click.option("--fetch", is_flag=True, help="Download the newest version of both with pip; a --file goes before.")
@click.option(
    "--accept",
    multiple=True,
    type=Accepted(),
    help="Take what the source says of this model; =genai-prices or =litellm where they differ.",
)
@click.option("--dry-run", is_flag=True, help="Only print the difference.")
@click.option("--verbose", is_flag=True, help="Print each price, and not one line for each model.")
@with_appcontext
def sync(
    files: tuple[Path, ...], fetch: bool, accept: tuple[tuple[str, str | None], ...], dry_run: bool, verbose: bool
) -> None:
    """Add prices on which two public lists agree. Prints those that one has, or on which they differ."""
    try:
        sources = price_files.find(files, fetch)
    except price_files.SourceError as error:
        raise click.ClickException(str(error)) from None
    for source in sources:
        click.echo(f"{source.name}: {many(len(source.rows), 'price')} read", err=True)
    listed = [{"name": source.name, "rows": source.rows, "aliases": source.aliases} for source in sources]
    with owner_connection(row_factory=dict_row) as conn:
        found = conn.execute(SYNC, [Jsonb(listed), Jsonb(dict(accept)), dry_run]).fetchall()
    for line in price_report.lines(found, verbose):
        click.echo(line)
    for source in sources:
        click.echo("\n".join(source.ignored_lines(verbose)), nl=bool(source.ignored))
    for line in price_report.summary(found, dry_run):
        click.echo(line)


@prices.command()
@click.argument("run", type=click.IntRange(max=2**63 - 1))
@click.option("--dry-run", is_flag=True, help="Only print what would be done.")
@with_appcontext
def undo(run: int, dry_run: bool) -> None:
    """Undo the sync RUN. Prices that it replaced are added again, as later revisions."""
    with owner_connection(row_factory=dict_row) as conn:
        rows = conn.execute(UNDO, [run, dry_run]).fetchall()
    for row in rows:
        what = f"{row['model']} {row['dimension']} {row['service_tier']}"
        back = (
            f"{exact(row['unit_price'])} per {row['unit_qty']} again"
            if row["undone"]
            else "stays, there was none before"
        )
        click.echo(f"{what}: {back}")
    count = sum(row["undone"] for row in rows)
    click.echo(f"{many(count, 'price')} undone{'; nothing was written' if dry_run else ''}")


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
    """Price the calls of a period again. A missing cost is filled in, a cost that differs gets a correction."""
    with owner_connection(row_factory=dict_row) as conn:
        conn.add_notice_handler(lambda message: click.echo(message.message_primary, err=True))
        rows = conn.execute(REPRICE, [since, until, reason, dry_run]).fetchall()
    for row in rows:
        click.echo(
            f"{row['organization']}: {many(row['calls'] or 0, 'call')}, {row['filled_calls'] or 0} filled"
            f" ({exact(row['filled_cost'] or Decimal(0))}), {row['adjusted_calls'] or 0} corrected"
            f" ({exact(row['adjusted_cost'] or Decimal(0))}), {row['unpriced_calls'] or 0} still without a price"
        )
    if dry_run:
        click.echo("nothing was written")


@prices.command("reprice-new")
@click.option("--yes", is_flag=True, help="Book the fills and corrections; without it they are only printed.")
@click.option("--reason", default="new prices", show_default=True, help="Kept with every correction and fill.")
@with_appcontext
def reprice_new(yes: bool, reason: str) -> None:
    """Price calls again that new prices affect. New are those that were added since the last such run."""
    with owner_connection(row_factory=dict_row) as conn:
        conn.add_notice_handler(lambda message: click.echo(message.message_primary, err=True))
        rows = conn.execute(REPRICE_NEW, [reason, not yes]).fetchall()
    for row in rows:
        click.echo(
            f"{row['organization']}, {row['model']}, {row['first_moment']:%Y-%m-%d} to {row['last_moment']:%Y-%m-%d}:"
            f" {many(row['calls'], 'call')}, {row['filled_calls']} filled ({exact(row['filled_cost'])}),"
            f" {row['adjusted_calls']} corrected ({exact(row['adjusted_cost'])}),"
            f" {row['unpriced_calls']} still without a price"
        )
    if not rows:
        click.echo("no call costs anything else with the prices that were added since the last run")
    elif not yes:
        click.echo("nothing was written; --yes books this")


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
