"""app.entries_added: entries with the same words become one; what it adds up is tested with app.totals_add."""

from __future__ import annotations

import json
from typing import Any

from checks import executors
from people import People
from test_totals_add import NEXT, NUMBERS, entry

ADDED = """
select e.* from unnest(app.entries_added(array(
    select e from jsonb_populate_recordset(null::app.total_entry, %s::jsonb) e), %s)) with ordinality e
"""


def added(people: People, by_hour: bool, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    return people.all(ADDED, json.dumps([entry(people, **change) for change in changes]), by_hour)


def test_entries_of_an_hour_or_of_a_day_are_one_in_the_order_of_their_key(people: People) -> None:
    early = {"hour": "2026-01-31T02:00Z"}
    changes = [NEXT, {"model": "b"}, early | {"model": "b"}, {"model": "a"}, {"model": "b"}, early | {"model": "b"}]
    by_hour, by_day = (added(people, which, *changes) for which in (True, False))
    assert [(row["day"].day, row["hour"].hour, row["model"], row["calls"]) for row in by_hour] == [
        (31, 2, "b", 2), (31, 23, "a", 1), (31, 23, "b", 2), (1, 0, "gpt-5", 1)
    ]  # fmt: skip
    assert [(row["day"].day, row["model"], row["calls"]) for row in by_day] == [
        (31, "a", 1), (31, "b", 4), (1, "gpt-5", 1)
    ]  # fmt: skip


def test_every_number_is_added(people: People) -> None:
    names = [*NUMBERS, "adjustment", "correction"]
    change = {name: n for n, name in enumerate(names, 1)}
    (row,) = added(people, True, change, change)
    assert [row[name] for name in names] == [2 * n for n in range(1, len(names) + 1)]


def test_only_the_triggers_may_run_it(people: People) -> None:
    assert executors(people.conn, "entries_added") == set()
