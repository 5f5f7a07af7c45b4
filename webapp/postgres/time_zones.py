"""Time zones as the embedded Postgres knows them: Python reads the same files, so that days begin at the same moment.

Postgres usually brings the rules of all zones along, newer or older than the system's. Where they differ, a day of the
sums would begin an hour before Python's midnight, and all its spend would stand under the day before.
"""

from __future__ import annotations

import zoneinfo
from contextlib import suppress

from webapp.postgres.programs import ClusterError, find_bindir

FOLDERS = ("share/timezone", "share/postgresql/timezone")  # beside bin; neither: Postgres reads the system's, as Python


def share() -> None:
    """From now on ``ZoneInfo`` and ``available_timezones`` read the files of the embedded Postgres.

    Zones that were read before stay as they are, so this comes first.
    """
    with suppress(ClusterError):
        prefix = find_bindir().resolve().parent
        own = [str(prefix / name) for name in FOLDERS if (prefix / name).is_dir()]
        zoneinfo.reset_tzpath(own or None)
