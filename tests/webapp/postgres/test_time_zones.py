"""Python and the Postgres that SpendAI brings along agree on every time zone, whatever the system knows of it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from webapp.filters import NOT_ZONES
from webapp.postgres import time_zones

MOMENTS = [datetime(year, month, 15, tzinfo=UTC) for year in range(2024, 2030) for month in range(1, 13)]
OFFSETS = """
select z.name, array_agg((m.at at time zone z.name) - (m.at at time zone 'UTC') order by m.at) as offsets
from unnest(%s::text[]) z (name), unnest(%s::timestamptz[]) m (at) group by 1
"""


@pytest.fixture
def system() -> Iterator[tuple[str, ...]]:
    """The system's zones, which are read again after the test."""
    before = zoneinfo.TZPATH
    yield before
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


def test_a_day_begins_at_the_same_moment_in_both(
    db: psycopg.Connection, system: tuple[str, ...], tmp_path: Path
) -> None:
    """As if a government had changed the clock after the system's last update."""
    (tmp_path / "America").mkdir()
    (tmp_path / "America/Vancouver").write_bytes(Path(system[0], "Etc/GMT+1").read_bytes())
    zoneinfo.reset_tzpath([tmp_path, *system])
    assert zones_that_differ(db)
    time_zones.share()
    assert zones_that_differ(db) == set()


def zones_that_differ(db: psycopg.Connection) -> set[str]:
    zoneinfo.ZoneInfo.clear_cache()
    names = sorted(zoneinfo.available_timezones() - NOT_ZONES)
    assert len(names) > 400
    return {
        row["name"]
        for row in db.execute(OFFSETS, [names, MOMENTS])
        if row["offsets"] != [at.astimezone(zoneinfo.ZoneInfo(row["name"])).utcoffset() for at in MOMENTS]
    }
