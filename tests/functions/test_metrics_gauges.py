"""app.metrics_gauges: numbers of the whole installation, for the gateway alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks import executors
from ledgers import add_call, add_open_call
from months import ensure
from people import People

GAUGES = "select * from app.metrics_gauges()"
UNPRICED = {"upstream": "openai", "cost": None, "cost_status": "unpriced_model"}


def gauges(people: People) -> dict[str, int]:
    with people.as_role("spendai_proxy"):
        return {row["name"]: row["value"] for row in people.all(GAUGES) if row["month"] is None}


def test_unpriced_calls_of_seven_days_are_those_of_all_organizations(people: People) -> None:
    before, now = gauges(people)["unpriced_calls"], datetime.now(UTC)
    ensure(people, 1)
    add_call(people, "ada", now, **UNPRICED)
    add_call(people, "eve", now - timedelta(days=5), **UNPRICED | {"cost_status": "unpriced_dimension"})
    add_call(people, "ada", now, upstream="openai")
    add_call(people, "ada", now, **UNPRICED | {"upstream": "sandbox"})
    add_call(people, "ada", now - timedelta(days=8), **UNPRICED)
    assert gauges(people)["unpriced_calls"] == before + 2


def test_calls_in_doubt_are_open_beyond_their_deadline(people: People) -> None:
    before, now = gauges(people)["calls_in_doubt"], datetime.now(UTC)
    past, ahead = now - timedelta(minutes=1), now + timedelta(hours=1)
    add_open_call(people, "ada", now, upstream="openai", deadline_at=past)
    add_open_call(people, "eve", now, upstream="openai", deadline_at=past)
    add_open_call(people, "ada", now, upstream="openai", deadline_at=ahead)
    add_open_call(people, "ada", now, upstream="sandbox", deadline_at=past)
    assert gauges(people)["calls_in_doubt"] == before + 2


def test_each_month_up_to_this_one_has_its_size(people: People) -> None:
    made = {name[-7:].replace("_", "-") for name in ensure(people, 1, 2)}
    this = people.one("select to_char(now() at time zone 'utc', 'YYYY-MM') as month")["month"]
    with people.as_role("spendai_proxy"):
        rows = people.all(GAUGES)
    months = {row["month"]: row["value"] for row in rows if row["name"] == "month_bytes"}
    assert made | {this} <= set(months)
    assert max(months) == this, "the months made in advance are empty"
    assert all(size > 0 for size in months.values())
    assert sum(months.values()) < gauges(people)["database_bytes"]


def test_only_the_gateway_may_ask(people: People) -> None:
    assert executors(people.conn, "metrics_gauges") == {"spendai_proxy"}
    for who in ("ada", "dev", "eve", "nobody"):
        with people.as_(who):
            people.refused("42501", GAUGES)
