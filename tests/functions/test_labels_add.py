"""app.labels_add: daily and hourly labels; what it adds is tested with app.totals_add, which calls it."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from people import People
from test_labels_beyond import FULL
from test_totals_add import NEXT, add


def test_an_hour_has_the_labels_of_its_day_also_those_that_are_not_kept_apart(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], NEXT["day"]])
    hours = [NEXT | {"hour": f"2026-02-01T{hour:02}:00Z"} for hour in (3, 3, 9)]
    add(people, *(hour | {"end_user": f"u{n}", "tags": {"run": str(n)}} for n, hour in enumerate(hours)))
    query = "select kind, label, calls, cost from public.{}_labels order by 1, 2, calls desc"
    by_day, by_hour = ([tuple(row.values()) for row in people.all(query.format(t))] for t in ("daily", "hourly"))
    third = Decimal("0.3")
    assert by_day == [("end_user", "(other)", 3, third), ("tag", "run=(other)", 3, third), ("tagged", "", 3, third)]
    assert by_hour == [(kind, label, calls, calls * Decimal("0.1")) for kind, label, _, _ in by_day for calls in (2, 1)]


def test_only_the_triggers_may_run_it(people: People) -> None:
    assert executors(people.conn, "labels_add") == set()
