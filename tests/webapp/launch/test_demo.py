"""`make demo`: a separate organization, its calls priced by the real pricing and never loaded twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from webapp.auth.passwords import matches
from webapp.launch import demo_calls
from webapp.launch.demo import DEVELOPER, EMAIL, Demo, DemoError

NOW = datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0)
FIRST = NOW.date() - timedelta(days=demo_calls.DAYS)


@pytest.fixture(scope="module")
def calls() -> list[dict[str, Any]]:
    """What the demo writes in its 90 days, before it is written."""
    return list(demo_calls.calls(FIRST, datetime.min.replace(tzinfo=UTC), NOW))


@pytest.fixture
def conn(own_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_dsn, autocommit=True) as found:
        yield found


def load(conn: psycopg.Connection, now: datetime, password: str = "correct horse") -> int:
    with conn.transaction():
        return Demo(conn, now, days=3).fill(password)


def rows(conn: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    return conn.cursor(row_factory=dict_row).execute(query).fetchall()


def test_days_have_weekends_growth_a_spike_and_an_outage(calls: list[dict[str, Any]]) -> None:
    days = Counter(call["started_at"].date() for call in calls)
    (spike,), (outage,) = (
        [day for day in days if ((day - FIRST).days // 7, day.weekday()) == when]
        for when in (demo_calls.SPIKE, demo_calls.OUTAGE)
    )
    work = [count for day, count in sorted(days.items()) if day.weekday() < 5 and day not in (spike, NOW.date())]
    free = [count for day, count in days.items() if day.weekday() > 4 and day != spike]
    assert sum(free) / len(free) < 0.6 * sum(work) / len(work)
    assert sum(work[-10:]) > 1.5 * sum(work[:10])
    assert days[spike] == max(days.values()) > 1.3 * max(work)
    failed = [call["started_at"].date() for call in calls if call["status_code"] == 503]
    assert len(failed) > 5 and set(failed) == {outage}
    assert 25_000 < len(calls) < 45_000


def test_there_are_calls_of_every_kind(calls: list[dict[str, Any]]) -> None:
    assert {"complete", "error", "no_usage"} == {call["outcome"] for call in calls}
    assert len({call["model"] for call in calls if call["model"]}) >= 9
    assert any(call["model"] == "gpt-next-preview" for call in calls)  # has no price
    assert len({call["end_user"] for call in calls}) > 100 and {429, 500, 503} < {call["status_code"] for call in calls}


def test_a_day_is_made_up_the_same_way_every_time(calls: list[dict[str, Any]]) -> None:
    again = list(demo_calls.calls(FIRST, NOW - timedelta(days=2), NOW))
    assert again == calls[-len(again) :] and len(again) > 300
    assert len({call["id"] for call in calls}) == len(calls)


def test_calls_are_priced_by_the_real_prices(conn: psycopg.Connection) -> None:
    """Three days are enough to see that."""
    count = load(conn, NOW)
    assert count > 200
    found = {
        row["cost_status"]: row["n"]
        for row in rows(conn, "select cost_status, count(*) as n from public.calls group by 1")
    }
    assert found["priced"] > 0.9 * count and found["error"] > 0
    (row,) = rows(conn, "select sum(cost) as cost, count(distinct model) as models from public.calls")
    assert row["cost"] > Decimal(1) and row["models"] > 6


def test_loading_again_adds_only_what_happened_since(conn: psycopg.Connection) -> None:
    before = load(conn, NOW - timedelta(days=1))
    assert load(conn, NOW - timedelta(days=1)) == 0
    added = load(conn, NOW)
    after = rows(conn, "select count(*) as n, count(distinct id) as ids from public.usage_logs")[0]
    assert after["n"] == after["ids"] == before + added and added > 0
    assert len(rows(conn, "select from public.organizations")) == 1


def test_the_demo_is_never_the_install_s_first_organization_and_never_real_money(conn: psycopg.Connection) -> None:
    load(conn, NOW - timedelta(days=1))
    assert rows(conn, "select from private.install") == []
    assert rows(conn, "select is_demo, books from public.organizations") == [{"is_demo": True, "books": "sandbox"}]


def test_an_admin_and_a_developer_can_log_in_with_the_password_that_was_printed(conn: psycopg.Connection) -> None:
    for password in ("correct horse", "another horse"):  # a new one each time
        load(conn, NOW - timedelta(days=1), password)
        for email, role in ((EMAIL, "admin"), (DEVELOPER, "developer")):
            (hashed,) = conn.execute("select hash from local_auth.find_login(%s)", [email]).fetchone()
            assert matches(password, hashed)
            assert rows(conn, f"select role from public.members where email = '{email}'") == [{"role": role}]


def test_an_organization_that_is_not_the_demo_is_left_alone(conn: psycopg.Connection) -> None:
    load(conn, NOW - timedelta(days=1))
    conn.execute("update public.organizations set is_demo = false")
    before = rows(conn, "select count(*) as n from public.usage_logs")
    with pytest.raises(DemoError, match=EMAIL):
        load(conn, NOW)
    assert rows(conn, "select count(*) as n from public.usage_logs") == before
