"""Calls of any age for tests of sums: written by app.settle_calls itself, as if a failover had lost their open rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from people import People

PRICE = "0.00045"  # of a call as ``spent`` makes it: 1000 input and 500 output tokens of gpt-4o-mini

# from, to, by, filters → the argument of the functions that make up app.spend_report: days (weeks of more than 92
# days) in UTC, compared with the equal period before
CELLS = """array(
    select c
    from (select %s::timestamptz as since, %s::timestamptz as until, %s::text as by, %s::jsonb as filters) p
    cross join lateral app.spend_cells(p.since, p.until, p.since - (p.until - p.since), p.since, 'UTC',
        case when p.until - p.since > interval '92 days' then 'week' else 'day' end, p.by, null, 'key', p.filters) c)"""


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def uuid7(at: datetime) -> UUID:
    """An id as the gateway makes it: its first 48 bits are the millisecond."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | uuid4().int & (1 << 80) - 1)


def spent(people: People, name: str = "ada", at: datetime | None = None, **changes: Any) -> UUID:
    """One settled call; returns its id. changes: fields of the message, such as model, usage or outcome."""
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    people.conn.execute("select app.ensure_partition(%s)", [at.date()])
    opened = people.open_message(
        name, id=str(uuid7(at)), started_at=at.isoformat(), model=changes.get("model", "gpt-4o-mini")
    )
    message = people.settle_message(name, opened, **({"model": "gpt-4o-mini"} | changes))
    assert people.settle_calls(message)[0]["outcome"] == "missing"
    return UUID(opened["id"])


def another_key(people: People, project: str, name: str = "ada") -> tuple[UUID, UUID]:
    """Make another project with one key; returns the ids of both."""
    with people.as_(name):
        project_id = people.one("select id from app.project_create(%s)", project)["id"]
        key = people.one(
            "select id from app.key_create(%s, %s, 'main', 'sk-spend-other', %s, null)",
            project_id,
            uuid4(),
            uuid4().bytes * 2,
        )
    return project_id, key["id"]
