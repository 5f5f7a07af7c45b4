"""A machine that has other rules for a time zone than Postgres, as before its update of tzdata."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def zone_an_hour_behind_utc(name: str, folder: Path) -> Iterator[None]:
    """Python takes the zone for one that is always an hour behind UTC; folder: an empty one."""
    system = zoneinfo.TZPATH
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(Path(system[0], "Etc/GMT+1").read_bytes())
    zoneinfo.reset_tzpath([folder, *system])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(system)
        zoneinfo.ZoneInfo.clear_cache()
