"""app.last_30_days: when the period of the overviews began."""

from __future__ import annotations

from datetime import UTC, timedelta

import psycopg
import pytest
from checks import executors

QUERY = "select app.last_30_days() as began, now() as now"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati"])
def test_today_is_the_last_of_thirty_days_of_utc_whatever_the_session_s_time_zone(
    db: psycopg.Connection, zone: str
) -> None:
    db.execute("select set_config('timezone', %s, true)", [zone])
    row = db.execute(QUERY).fetchone()
    today = row["now"].astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert row["began"] == today - timedelta(days=29)


def test_only_signed_in_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "last_30_days") == {"authenticated"}
