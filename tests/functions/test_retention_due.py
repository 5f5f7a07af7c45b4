"""app.retention_due: months of calls that are old enough to be dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from checks import executors
from ledgers import add_call, add_open_call
from months import ago, ensure, take_out
from people import People
from stack import Stack

DUE = "select * from app.retention_due(%s)"


def due(people: People, months: int) -> list[date]:
    return [row["month"] for row in people.all(DUE, months)]


def test_months_older_than_so_many_whole_ones_are_due_the_oldest_first(people: People) -> None:
    ensure(people, 1, 2, 13, 3)
    assert due(people, 1) == [ago(n).date() for n in (13, 3, 2)]
    assert due(people, 2) == [ago(n).date() for n in (13, 3)]
    assert (due(people, 12), due(people, 13)) == ([ago(13).date()], [])
    assert due(people, 0) == [ago(n).date() for n in (13, 3, 2, 1)], "this month and later ones never are"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_months_are_those_of_utc(people: People, zone: str) -> None:
    ensure(people, 1, 2)
    people.conn.execute("select set_config('timezone', %s, true)", [zone])
    assert due(people, 1) == [ago(2).date()]


def test_it_says_how_many_calls_a_month_has_and_how_many_are_open(people: People) -> None:
    (name,) = ensure(people, 3)
    for who in ("ada", "eve", "ada"):
        add_call(people, who, ago(3) + timedelta(days=3))
    add_open_call(people, "ada", ago(3) + timedelta(days=9))
    (row,) = people.all(DUE, 2)
    assert row == {"month": ago(3).date(), "partition": name, "state": "attached", "calls": 4, "open": 1}


def test_a_month_that_was_taken_out_already_is_still_due(people: People) -> None:
    older, newer = ensure(people, 4, 3)
    add_call(people, "ada", ago(4))
    take_out(people, 4)
    rows = people.all(DUE, 2)
    assert [(r["partition"], r["state"], r["calls"]) for r in rows] == [(older, "detached", 1), (newer, "attached", 0)]


def test_tables_of_other_names_are_left_alone(people: People) -> None:
    before = due(people, 0)
    for name in ("usage_logs_2020_1", "usage_logs_2020_01x", "old_usage_logs_2020_01"):
        people.conn.execute(f"create table private.{name} (state text)")
    assert due(people, 0) == before


def test_a_run_that_was_cut_off_while_taking_a_month_out_can_be_told(own_dsn: str) -> None:
    name = ago(3).strftime("usage_logs_%Y_%m")
    detach = f"alter table public.usage_logs detach partition private.{name}"
    with (
        psycopg.connect(own_dsn) as reader,
        psycopg.connect(own_dsn, autocommit=True) as owner,
        psycopg.connect(own_dsn, autocommit=True) as run,
        ThreadPoolExecutor(1) as pool,
    ):

        def states() -> list[Any]:
            return [state for _, _, state, *_ in owner.execute(DUE, [2]).fetchall()]

        owner.execute("select app.ensure_partition(%s)", [ago(3).date()])
        assert states() == ["attached"]
        reader.execute("select count(*) from public.usage_logs")
        taking_out = pool.submit(run.execute, f"{detach} concurrently")  # waits for the reader
        Stack.wait_for(lambda: states() == ["detaching"], 30)
        run.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            taking_out.result()
        assert states() == ["detaching"]
        reader.rollback()
        owner.execute(f"{detach} finalize")
        assert states() == ["detached"]


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "retention_due") == set()
