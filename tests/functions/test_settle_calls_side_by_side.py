"""app.settle_calls from several gateways at once, and how it finds its rows."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from checks import side_by_side
from people import People
from psycopg.rows import dict_row

from webapp.postgres.cluster import SUPERUSER

SETTLE = "select * from app.settle_calls(%s::jsonb) order by n"
SCANS = """
    select coalesce(sum(seq_scan), 0) as seq_scans, coalesce(sum(idx_scan), 0) as idx_scans
    from pg_stat_xact_user_tables where relname like 'usage\\_logs\\_%'
"""

WAITING = "select count(*) from pg_stat_activity where application_name = 'second gateway' and wait_event_type = 'Lock'"


@pytest.fixture
def gateway(own_dsn: str) -> tuple[str, People]:
    """A database of the test's own with committed people in it."""
    with psycopg.connect(own_dsn, row_factory=dict_row) as conn:
        # Only a superuser may take on the roles of People: so rows are inserted here directly.
        people = object.__new__(People)
        people.conn, people.ids, people.orgs, people.projects, people.keys = conn, {}, {}, {}, {}
        conn.execute("grant spendai_proxy to current_user")
        people.found("ada", "Acme")
        conn.commit()
        yield own_dsn, people


def opened(people: People, count: int) -> list[dict[str, Any]]:
    """Settle messages of so many open calls, committed."""
    messages = [people.open_message("ada") for _ in range(count)]
    assert {row["outcome"] for row in people.open_calls(*messages)} == {"opened"}
    people.conn.commit()
    return [people.settle_message("ada", message) | {"n": n} for n, message in enumerate(messages)]


def settle(dsn: str, messages: list[dict[str, Any]]) -> list[str]:
    with psycopg.connect(dsn, application_name="second gateway") as conn:
        return [outcome for _, outcome in conn.execute(SETTLE, [json.dumps(messages)]).fetchall()]


def settle_twice(gateway: tuple[str, People], batch: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The same calls from two gateways: the second settles them in reverse order before the first has committed."""
    dsn, people = gateway
    with ThreadPoolExecutor(1) as pool:
        people.conn.execute("select")  # begins the transaction that stays open
        first = [row["outcome"] for row in people.settle_calls(*batch)]
        second = pool.submit(settle, dsn, batch[::-1])
        with psycopg.connect(dsn, autocommit=True) as watch:
            deadline = time.monotonic() + 30
            while not watch.execute(WAITING).fetchone()[0]:
                assert time.monotonic() < deadline and not second.done()
                time.sleep(0.005)
        people.conn.commit()
        return first, second.result(timeout=30)


def test_a_second_gateway_waits_for_the_first_and_settles_nothing_again(gateway: tuple[str, People]) -> None:
    _, people = gateway
    batch = opened(people, 20)
    assert settle_twice(gateway, batch) == (["settled"] * 20, ["already"] * 20)
    assert people.one("select count(*) as n from public.usage_logs where state = 'settled'")["n"] == 20


def test_a_second_replay_of_lost_calls_writes_nothing_again(gateway: tuple[str, People]) -> None:
    _, people = gateway
    batch = [people.settle_message("ada", people.open_message("ada")) | {"n": n} for n in range(20)]
    assert settle_twice(gateway, batch) == (["missing"] * 20, ["already"] * 20)
    assert people.one("select count(*) as n from public.usage_logs")["n"] == 20


def test_two_gateways_with_the_same_calls_in_any_order_never_deadlock(gateway: tuple[str, People]) -> None:
    dsn, people = gateway
    for _ in range(5):
        batch = opened(people, 20)
        answers = side_by_side(partial(settle, dsn, batch), partial(settle, dsn, batch[::-1]))
        assert sorted(answers[0] + answers[1]) == ["already"] * 20 + ["settled"] * 20


def fill(people: People, count: int) -> None:
    people.conn.execute(
        "insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, settled_at, state,"
        " upstream, endpoint, method, stream, batch, status_code, cost, cost_status, tags)"
        " select gen_random_uuid(), %s, %s, %s, now(), now(), now(), 'settled', 'sandbox', '/v1/chat/completions',"
        " 'POST', false, false, 200, 0.1, 'priced', '{}' from generate_series(1, %s)",
        [people.orgs["ada"], people.projects["ada"], people.keys["ada"].id, count],
    )
    people.conn.commit()


@pytest.mark.parametrize("rows_before", [0, 20_000])
def test_rows_are_found_by_the_index_however_full_the_table_was_when_the_plan_was_made(
    gateway: tuple[str, People], rows_before: int
) -> None:
    dsn, people = gateway
    fill(people, rows_before)
    batch = opened(people, 8)
    people.conn.execute("analyze public.usage_logs")
    people.conn.commit()
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        for message in batch:  # from the sixth run on a statement uses its kept plan
            conn.execute(SETTLE, [json.dumps([message])])
        conn.commit()
        fill(people, 20_000)
        (late,) = opened(people, 1)
        before = conn.execute(SCANS).fetchone()
        assert conn.execute(SETTLE, [json.dumps([late])]).fetchone()["outcome"] == "settled"
        after = conn.execute(SCANS).fetchone()
    assert after["seq_scans"] == before["seq_scans"] == 0
    assert after["idx_scans"] > before["idx_scans"]


@pytest.mark.parametrize("rows_before", [0, 20_000])
def test_every_row_is_looked_up_by_its_id(gateway: tuple[str, People], rows_before: int) -> None:
    """Not by a less selective index, which costs nothing while the table is empty and reads all of it later."""
    dsn, people = gateway
    fill(people, rows_before)
    plans: list[str] = []
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, user=SUPERUSER), autocommit=True) as conn:
        conn.add_notice_handler(lambda notice: plans.append(notice.message_primary))
        conn.execute("load 'auto_explain'; set auto_explain.log_min_duration = 0; set client_min_messages = log")
        conn.execute("set auto_explain.log_nested_statements = on")
        for size in [8, 1] * 7:
            assert len(conn.execute(SETTLE, [json.dumps(opened(people, size))]).fetchall()) == size
    looked_up = re.findall(r"Scan (?:using \w+ )?on usage_logs_\w+ .*\n +(.*)", "\n".join(plans))
    assert len(looked_up) > 20
    assert [line for line in looked_up if not re.match(r"Index Cond: .*\bid = ", line)] == []
