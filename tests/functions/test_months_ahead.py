"""app.months_ahead: how many coming months have a partition of usage_logs."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People

AHEAD = "select app.months_ahead() as n"
MONTH = "to_char(now() at time zone 'utc' + make_interval(months => %s), 'YYYY_MM')"


def ahead(people: People) -> int:
    with people.as_role("spendai_auth"):
        return people.one(AHEAD)["n"]


def drop(people: People, month: int) -> None:
    name = people.one(f"select {MONTH} as name", month)["name"]
    people.conn.execute(f"drop table private.usage_logs_{name}")


def test_two_years_are_ahead_after_migrating_and_one_more_when_it_is_made(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as conn:
        assert conn.execute(AHEAD).fetchone() == (24,)
        conn.execute("select app.ensure_partition((date_trunc('month', now(), 'UTC') + interval '25 months')::date)")
        assert conn.execute(AHEAD).fetchone() == (25,)


def test_it_counts_up_to_the_first_that_is_missing(people: People) -> None:
    drop(people, 3)
    assert ahead(people) == 2
    drop(people, 1)
    assert ahead(people) == 0


def test_it_counts_in_utc(people: People) -> None:
    before = ahead(people)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        people.conn.execute("select set_config('timezone', %s, true)", [zone])
        assert ahead(people) == before


def test_only_the_sign_in_role_may_ask(people: People) -> None:
    assert executors(people.conn, "months_ahead") == {"spendai_auth"}
    for who in ("ada", "eve", "nobody"):
        with people.as_(who):
            people.refused("42501", AHEAD)
