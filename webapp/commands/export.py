"""``flask export focus``: the charges of a month as FOCUS 1.2, for tools that read the bills of several vendors."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from flask.cli import with_appcontext
from psycopg.rows import dict_row

from webapp.books import focus as focus_rows
from webapp.commands.books_close import Month, with_books
from webapp.commands.database import owner_connection
from webapp.written import many


@click.group()
def export() -> None:
    """Files for other tools."""


@export.command()
@click.option("--month", type=Month(), required=True, help="Such as 2026-10.")
@click.option("--org", help="Organization: its name or id. Not needed when only one has OpenAI's books.")
@click.option("--format", "kind", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file; without: stdout.")
@with_appcontext
def focus(month: date, org: str | None, kind: str, output: Path | None) -> None:
    """Export the charges of a month in FOCUS 1.2. A closed month adds up to what OpenAI billed."""
    if kind == "parquet" and output is None:
        raise click.UsageError("say with -o where the Parquet file goes")
    with owner_connection() as conn:
        org_id, name = with_books(conn, org)
        (sandbox,) = conn.execute(
            "select books = 'sandbox' from public.organizations where id = %s", [org_id]
        ).fetchone()
        with conn.cursor(row_factory=dict_row) as cursor:
            charges = cursor.execute("select * from app.focus_charges(%s, %s)", [org_id, month]).fetchall()
        (unknown,) = conn.execute("select app.focus_unknown(%s, %s)", [org_id, month]).fetchone()
    rows = [focus_rows.row_of(charge, month, org_id, name, sandbox) for charge in charges]
    _write(rows, kind, output)
    if unknown:
        click.echo(f"{many(unknown, 'call')} of the month without a known cost: not in the file", err=True)


def _write(rows: list[dict[str, object]], kind: str, output: Path | None) -> None:
    if kind == "parquet" and output:
        output.write_bytes(focus_rows.parquet(rows))
        return
    data = "".join(focus_rows.csv_lines(rows, focus_rows.COLUMNS)).encode()  # UTF-8, whatever the locale's encoding
    if output:
        output.write_bytes(data)
    else:
        click.echo(data, nl=False)
