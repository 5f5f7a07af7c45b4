"""app.months_dropped: the months of which usage_logs has no calls any more, from the moment they leave it."""

from __future__ import annotations

from checks import executors
from months import ago, ensure, take_out
from people import People


def test_a_month_counts_from_when_it_is_taken_out_until_after_it_is_dropped(people: People) -> None:
    ensure(people, 2, 3)
    months = "select m from app.months_dropped() m"
    assert people.all(months) == []
    take_out(people, 3)
    assert people.all(months) == [{"m": ago(3).date()}]
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [ago(3).date()])
    assert people.all(months) == [{"m": ago(3).date()}]
    assert executors(people.conn, "months_dropped") == set()
