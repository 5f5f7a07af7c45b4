"""app.month_close_for: the operator closes a month of an organization."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import uuid4

import psycopg
from checks import executors
from closes import AGREES, MONTH, fetched, month
from people import People

CLOSE = "select app.month_close_for(%s, %s, '', null, false)"


def test_it_compares_again_what_changed_since(people: People) -> None:
    month(people)
    people.one("select app.reconcile_day(%s, '2026-10-14')", people.orgs["ada"])
    fetched(people, AGREES, ("key_laptop", "o3, output", 1, "tokens", "1"))
    people.one(CLOSE, people.orgs["ada"], MONTH)
    row = people.one("select openai, named, closed_by from public.month_closes")
    assert (row["openai"], row["named"], row["closed_by"]) == (D("1.15"), {"outside_key": "1"}, None)


def test_an_unknown_organization_is_refused(people: People) -> None:
    assert people.refused("PT404", CLOSE, uuid4(), MONTH).diag.message_detail == "organization_not_found"


def test_a_month_whose_calls_were_dropped_uncompared_is_refused(people: People) -> None:
    month(people)
    people.conn.execute("insert into private.dropped_months (month, calls, reason) values (%s, 1, 'old')", [MONTH])
    assert people.refused("PT409", CLOSE, people.orgs["ada"], MONTH).diag.message_detail == "month_dropped"


def test_no_month_is_closed_while_calls_are_priced_again(people: People) -> None:
    month(people)
    other = people.conn.info
    with psycopg.connect(other.dsn, password=other.password) as conn:
        # As app.reprice begins. All of it would wait for the partition that this test has made and not committed.
        conn.execute("select from private.work_locks where work = 'prices reprice' for update")
        assert people.refused("PT409", CLOSE, people.orgs["ada"], MONTH).diag.message_detail == "repricing"
        conn.rollback()
    assert people.one(CLOSE, people.orgs["ada"], MONTH)


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "month_close_for") == set()
