"""app.ensure_partition: makes a month of usage_logs without holding up calls."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from checks import executors, side_by_side
from people import ROLES, People

ENSURE = "select app.ensure_partition(%s)"
FAR = "2040-02-15"
PARTITIONS = "select inhrelid::regclass from pg_inherits where inhparent = 'public.usage_logs'::regclass"


def insert(conn: psycopg.Connection, at: str) -> str:
    """Name of the partition for calls of this moment."""
    return conn.execute(
        "insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream,"
        " endpoint, method, stream, batch, tags)"
        " values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %s, now(), 'open',"
        " 'sandbox', '/', 'GET', false, false, '{}') returning tableoid::regclass::text as name",
        [at],
    ).fetchone()["name"]


def test_a_month_is_made_once(people: People) -> None:
    with people.as_role("spendai_proxy"):
        assert [people.one(ENSURE, day)["ensure_partition"] for day in (FAR, "2040-02-01", "2040-02-29")] == [
            True,
            False,
            False,
        ]


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2040-02-01T00:00:00Z", "2040_02"),
        ("2040-02-29T23:59:59.999999Z", "2040_02"),
        ("2040-03-01T00:00:00Z", "2040_03"),
        ("2040-01-31T23:59:59.999999Z", "2040_01"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
def test_months_begin_and_end_in_utc_whatever_the_sessions_time_zone(
    db: psycopg.Connection, at: str, month: str, zone: str
) -> None:
    db.execute("select set_config('timezone', %s, true)", [zone])
    for day in ("2040-01-31", "2040-02-01", "2040-03-31"):
        db.execute(ENSURE, [day])
    assert insert(db, at) == f"private.usage_logs_{month}"


def test_a_partition_is_nobodys_and_no_way_around_the_rules(db: psycopg.Connection) -> None:
    db.execute(ENSURE, [FAR])
    name = "private.usage_logs_2040_02"
    secured = db.execute("select relrowsecurity from pg_class where oid = %s::regclass", [name]).fetchone()
    assert secured == {"relrowsecurity": True}
    anything = "select, insert, update, delete, truncate, references, trigger"
    rights = "select r from unnest(%s::text[]) r where has_table_privilege(r, %s, %s)"
    assert db.execute(rights, [list(ROLES), name, anything]).fetchall() == []
    insert(db, "2040-02-02Z")
    for statement in (f"delete from {name}", f"truncate {name}", f"update {name} set endpoint = '/v1'"):
        with pytest.raises(psycopg.Error) as caught, db.transaction():
            db.execute(statement)
        assert caught.value.sqlstate == "PT405"


def test_a_partition_has_the_indexes_of_the_others(db: psycopg.Connection) -> None:
    db.execute(ENSURE, [FAR])
    count = "select count(*) as n from pg_index where indrelid = %s::regclass and indisvalid"
    here = db.execute(count, ["private.usage_logs_2040_02"]).fetchone()
    assert here == db.execute(count, [datetime.now(UTC).strftime("private.usage_logs_%Y_%m")]).fetchone()


def test_two_years_ahead_are_there_after_migrating(db: psycopg.Connection) -> None:
    assert len(db.execute(PARTITIONS).fetchall()) == 25
    assert insert(db, datetime.now(UTC).isoformat()).startswith("private.usage_logs_20")


def test_only_the_gateway_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "ensure_partition") == {"spendai_proxy"}


def test_gateways_that_start_at_once_make_one_partition(own_dsn: str) -> None:
    def ensure() -> bool:
        with psycopg.connect(own_dsn) as conn:
            return conn.execute(ENSURE, [FAR]).fetchone()[0]

    assert sorted(side_by_side(*[ensure] * 6)) == [False] * 5 + [True]


def test_an_open_readers_transaction_holds_nothing_up(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as reader, psycopg.connect(own_dsn, autocommit=True) as gateway:
        reader.execute("select count(*) from public.usage_logs")
        gateway.execute("set lock_timeout = '200ms'")
        assert gateway.execute(ENSURE, [FAR]).fetchone() == (True,)


def test_a_call_under_way_holds_nothing_up_and_is_not_held_up(own_dsn: str) -> None:
    with psycopg.connect(own_dsn, row_factory=psycopg.rows.dict_row) as call, psycopg.connect(own_dsn) as gateway:
        insert(call, datetime.now(UTC).isoformat())
        for conn in (call, gateway):
            conn.execute("set lock_timeout = '200ms'")
        assert gateway.execute(ENSURE, [FAR]).fetchone() == (True,)
        assert insert(call, datetime.now(UTC).isoformat())
