"""Months of usage_logs that are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from people import People


def ago(months: int) -> datetime:
    """The beginning of a month."""
    at = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(months):
        at = (at - timedelta(days=1)).replace(day=1)
    return at


def ensure(people: People, *months: int) -> list[str]:
    """Make partitions for months that are over; returns their names."""
    for month in months:
        people.conn.execute("select app.ensure_partition(%s)", [ago(month).date()])
    return [ago(month).strftime("usage_logs_%Y_%m") for month in months]


def take_out(people: People, months: int) -> None:
    """Detach a month, as flask retention does before it drops it."""
    name = ago(months).strftime("usage_logs_%Y_%m")
    people.conn.execute("set constraints all immediate")  # a table with deferred checks pending cannot be altered
    people.conn.execute(f"alter table public.usage_logs detach partition private.{name}")
