"""Migrations 0038 to 0040: an older ledger gets the sums per hour, and costs by kind, that the triggers keep."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ledgers import add_call, adjust
from months import ago, ensure, take_out
from people import People
from totals import differences, many_calls

from webapp.postgres.migrations import DB

MIGRATIONS = [file for number in ("0038", "0039", "0040") for file in (DB / "migrations").glob(f"{number}_*.sql")]
KINDS = (
    "cost_input cost_cached cost_cache_write cost_output cost_reasoning cost_audio cost_image cost_tools cost_region"
)
# What the migrations make, away again. The functions of the triggers may stay: nothing is settled meanwhile.
UNDO = (
    "drop table public.hourly_totals, public.hourly_labels cascade",
    f"alter table public.daily_totals {', '.join(f'drop column {kind} cascade' for kind in KINDS.split())}",
    f"alter type app.total_entry {', '.join(f'drop attribute {kind}' for kind in ['hour', *KINDS.split()])}",
    "alter table private.dropped_months drop column has_hours",
    "drop function app.cost_kinds(numeric, jsonb, bigint)",
)
LINES = json.dumps([
    {"dimension": name, "quantity": quantity, "cost": cost}
    for name, quantity, cost in (("input_text", 1000, 0.001), ("cached_text", 9, 0.0005), ("output_text", 500, 0.002),
                                 ("web_search_calls", 1, 0.01))
])  # fmt: skip
PRICED = {"cost": Decimal("0.0135"), "cost_lines": LINES, "tokens_reasoning": 125}


def kept(people: People) -> dict[str, list[dict[str, Any]]]:
    """All sums by the words of their key, without the slots; rows that are all 0 are left out."""
    found = {}
    for table in ("daily_totals", "daily_labels", "hourly_totals", "hourly_labels"):
        columns = [row["name"] for row in people.all(
            "select attname::text as name from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and not attisdropped order by 1", f"public.{table}")]  # fmt: skip
        sums = [name for name in columns if name == "calls" or name.startswith(("tokens", "cost", "adj", "corr"))]
        sums = [name for name in sums if name != "cost_status"] + [name for name in columns if name.endswith("_calls")]
        words = ", ".join(name for name in columns if name not in (*sums, "slot"))
        added = ", ".join(f"sum({name}) as {name}" for name in sums)
        some = " or ".join(f"sum({name}) <> 0" for name in sums)
        found[table] = people.all(
            f"select {words}, {added} from public.{table} group by {words} having {some} order by {words}"
        )
    return found


def upgrade(people: People) -> None:
    people.conn.execute("set constraints all immediate")
    for statement in (*UNDO, *(path.read_text() for path in MIGRATIONS)):
        people.conn.execute(statement)


def test_an_old_ledger_gets_the_sums_that_the_triggers_would_have_kept(people: People) -> None:
    many_calls(people)
    add_call(people, "ada", end_user="u1", tags={"team": "web"}, **PRICED)
    before = kept(people)
    assert len(before["hourly_totals"]) > len(before["daily_totals"]) > 20
    assert sum(row["cost_reasoning"] for row in before["hourly_totals"]) == Decimal("0.0005")
    upgrade(people)
    assert kept(people) == before
    assert differences(people) == []
    assert people.one("select app.hours_since() as day")["day"] == date.min


def test_labels_of_an_hour_are_those_that_its_day_keeps_apart(people: People) -> None:
    at = ago(0)
    people.conn.execute(
        "insert into private.label_counts (org_id, day, kind, name, slot, labels) values"
        " (%(org)s, %(day)s, 'end_user', '', 200, 9999), (%(org)s, %(day)s, 'tag', 'run', 200, 1999),"
        " (%(org)s, %(day)s, 'tag', '', 200, 9998)",
        {"org": people.orgs["ada"], "day": at.date()},
    )
    for n in range(4):
        add_call(people, "ada", at + timedelta(hours=n), end_user=f"u{n}", tags={"run": str(n), f"new{n}": "1"})
        add_call(people, "ada", at + timedelta(hours=9), end_user="u0", tags={"run": "0"})
    before = kept(people)
    labels = {row["label"] for row in before["hourly_labels"]}
    assert labels == {"", "u0", "(other)", "run=0", "run=(other)", "new0=1"}
    upgrade(people)
    assert kept(people) == before
    assert differences(people) == []


def test_of_dropped_calls_the_corrections_of_later_days_are_kept_and_hours_begin_after_them(people: People) -> None:
    ensure(people, 2, 3)
    at, later = ago(3) + timedelta(days=10), ago(2) + timedelta(days=4, hours=7)
    call = add_call(people, "ada", at, cost=2, end_user="u1", tags={"team": "web"})
    add_call(people, "ada", later, cost=1, end_user="u1", tags={"team": "web"})
    adjust(people, call, Decimal("0.5"), later)
    adjust(people, call, Decimal("0.25"), later + timedelta(days=1, hours=2))
    take_out(people, 3)
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [ago(3).date()])
    before = kept(people)
    upgrade(people)
    after = kept(people)
    assert people.one("select app.hours_since() as day")["day"] == ago(2).date()
    for table, rows in before.items():
        assert after[table] == [row for row in rows if row.get("hour", later) >= ago(2)], table
    assert differences(people) == []
