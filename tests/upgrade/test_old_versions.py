"""Databases that earlier versions made, brought up to this checkout: every sum stays the same to the last digit.

Of each version there is a dump with a small ledger, and what its own views said of it (made by make_dump.py). The tests
take the oldest and the newest of them; `make prove-upgrades` all.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
import requests
from checks import some
from dumps import NUMBERS, counted, rows, said, same, unpack
from stack import Stack

from webapp import db
from webapp.postgres import embedded
from webapp.postgres.cluster import SUPERUSER, Cluster
from webapp.postgres.migrations import migrate

CHOSEN = some(NUMBERS, 2)
KEY = "sk-spend-00000000000000000000000000000001-" + f"{1:043d}"  # Ada's, as old_ledger.py made it
# Sums of each organization and day in three ways: by its calls and corrections, and as kept by day and by hour.
SUMS = {
    "rows": "select org_id, (started_at at time zone 'utc')::date as day, count(*) as calls, sum(cost) as cost"
            " from public.usage_logs where state = 'settled' group by 1, 2",
    "days": "select org_id, day, sum(calls) as calls, sum(cost) as cost from public.daily_totals"
            " group by 1, 2 having sum(calls) > 0",
    "hours": "select org_id, (hour at time zone 'utc')::date as day, sum(calls) as calls, sum(cost) as cost"
             " from public.hourly_totals group by 1, 2 having sum(calls) > 0",
}  # fmt: skip


class Upgraded(NamedTuple):
    """stack: today's gateway on the migrated database, started by the test of it."""

    number: str
    stack: Stack
    conn: psycopg.Connection


@pytest.fixture(scope="module", params=CHOSEN)
def upgraded(
    request: pytest.FixtureRequest, schema: object, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """The database of one version, restored and migrated. (`schema` has made the roles, which a dump does not have.)"""
    number, name = request.param, f"spendai_old_{request.param}"
    with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
        conn.execute(f"create database {name} owner postgres template template0")
    owner, admin = cluster.dsn("postgres", "temporary", name), cluster.dsn(SUPERUSER, "temporary", name)
    dump = unpack(number, tmp_path_factory.mktemp("dump"))
    subprocess.run([cluster.bindir / "pg_restore", "--exit-on-error", "--dbname", admin, dump], check=True)
    with psycopg.connect(admin) as conn:  # as the embedded server does at each start
        for file in embedded.SHIM:
            conn.execute(file.read_text())
        for statement in embedded.limits(conn):
            conn.execute(statement)
    stack = Stack(owner, admin, WORKERS="1")
    try:
        migrate(owner, passwords=db.passwords(stack.config))
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("set role postgres")
            yield Upgraded(number, stack, conn)
    finally:
        stack.stop()
        stack.home.cleanup()
        with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute(f"drop database {name} with (force)")


def test_it_says_what_the_old_version_said(upgraded: Upgraded) -> None:
    found = said(upgraded.number)
    assert len(found["calls"]) > 15 and len(found["corrections"]) == 3 and len(found["fills"]) == 1
    assert {row["cost_status"] for row in found["calls"]} > {"priced", "unpriced_model", "no_usage", "error", None}
    same(upgraded.conn, upgraded.number)


def test_the_sums_kept_by_day_and_by_hour_are_those_of_its_calls(upgraded: Upgraded) -> None:
    found = {name: counted(rows(upgraded.conn, query), ["org_id", "day", "calls", "cost"])
             for name, query in SUMS.items()}  # fmt: skip
    assert len(found["rows"]) > 8
    assert found["rows"] == found["days"] == found["hours"]


def test_todays_code_serves_it(upgraded: Upgraded) -> None:
    stack, conn = upgraded.stack, upgraded.conn
    stack.start()
    with requests.Session() as browser:
        shown = browser.get(f"{stack.url}/login", timeout=20)
        token = re.search(r'name="csrf_token" value="([^"]*)"', shown.text)[1]
        form = {"csrf_token": token, "email": "ada@acme.test", "password": "correct horse"}
        entered = browser.post(f"{stack.url}/login", data=form, headers={"Origin": stack.url}, timeout=20)
        assert entered.ok and "/login" not in entered.url, entered.text[:2000]
        page = browser.get(f"{stack.url}/?from=2026-09-01&to=2026-11-29", timeout=20)
        assert page.status_code == 200
        assert "gpt-4o-mini" in page.text
    answer = requests.post(
        f"{stack.proxy}/chat/completions", headers={"Authorization": f"Bearer {KEY}"}, timeout=20,
        json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    settled = "select cost > 0 from public.usage_logs where id = %s and state = 'settled'"
    assert stack.wait_for(lambda: conn.execute(settled, [answer.headers["x-spendai-call-id"]]).fetchone()) == (True,)
