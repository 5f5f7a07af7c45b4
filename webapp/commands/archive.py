"""``flask archive verify``: reads archives back that ``flask retention --archive`` wrote."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.commands.database import owner_connection
from webapp.written import exact, many

HASHES = "select to_char(month, 'YYYY-MM'), archive_hash from private.dropped_months where archive_hash is not null"


@click.group()
def archive() -> None:
    """Months that flask retention --archive wrote."""


@archive.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--without-database", is_flag=True, help="Only compare the files with their manifests.")
@with_appcontext
def verify(folder: Path, without_database: bool) -> None:
    """Read every month in FOLDER back. Each is compared with its manifest, and that with the database."""
    from webapp.archive import month as months  # noqa: PLC0415  # imports pyarrow, which is slow

    # A folder of any other name too, such as a copy: queries of */calls.parquet would count its calls twice.
    named = set(folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]/"))
    places = sorted(named | {path.parent for path in folder.glob("*/calls.parquet")})
    if not places:
        raise click.ClickException(f"{folder}: holds no archive of a month")
    hashes = {} if without_database else _hashes()
    bad = 0
    for place in places:
        try:
            manifest = months.verify(place, place.name)
            if hashes.get(place.name, manifest["hash"]) != manifest["hash"]:
                raise months.ArchiveError(f"{place}: is not the archive that was written when the month was dropped")
        except months.ArchiveError as error:
            click.echo(f"BAD {error}", err=True)
            bad += 1
            continue
        calls = manifest["files"]["calls"]
        known = "" if without_database or place.name in hashes else ", not dropped by this database"
        click.echo(f"{place.name}: good, {many(calls['rows'], 'call')}, {exact(Decimal(calls['sums']['cost']))}{known}")
    if missing := sorted(hashes.keys() - {place.name for place in places}):
        click.echo(f"not in {folder}: {', '.join(missing)}", err=True)
    if bad or missing:
        raise click.exceptions.Exit(1)


def _hashes() -> dict[str, str]:
    """Month → hash of the manifest that was written when its calls were dropped."""
    with owner_connection() as conn:
        return dict(conn.execute(HASHES).fetchall())
