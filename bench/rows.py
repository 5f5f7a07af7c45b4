"""How long do queries and pages take as the ledger grows to ten million calls?

A temporary server has a database for each size, filled by SQL. The admin of the company with 90 % of the calls asks
every question in SQL, under row security, and gets every page through gunicorn: medians in milliseconds. Also: how many
calls per second can be opened and settled beside so many rows.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import requests
from stack import SECRETS, free_port

from bench import ledger_rows, settling, tools
from bench.tables import number, table
from bench.versus import say
from webapp import db
from webapp.config import ROOT, load
from webapp.postgres.cluster import SUPERUSER, Cluster
from webapp.postgres.migrations import migrate

STEPS = (10_000, 100_000, 1_000_000, 10_000_000)
TIMES, RATE_SECONDS = 7, 10
REPORT = "select * from app.spend_report(%s, %s, %s, %s, %s, %s, %s, null, 'key', '{}', 6)"
SQL_TARGET, PAGE_TARGET, RATE_TARGET = 100, 250, 0.9  # ms, ms, share of the rate without rows
VIEWS = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")
FILTERS = {
    "none": {}, "project": {"project": "<project>"}, "key": {"key": "<key>"}, "model": {"model": "gpt-5-2025-08-07"},
    "endpoint": {"endpoint": "/v1/responses"}, "status": {"status": "429"}, "errors": {"status": "error"},
    "cost status": {"cost_status": "unpriced_model"}, "end user": {"end_user": "user-7-7"},
    "tag": {"tag": "team=team 7"}, "tag and errors": {"tag": "team=team 7", "status": "error"},
}  # fmt: skip
PAGES = {
    "Spend": "/", "Spend by model": "/?by=model", "Spend by key": "/?by=key", "Spend by end user": "/?by=end_user",
    "Spend by tag": "/?by=tag", "Spend, 12 months": "/?from=<year>", "Project": "/projects/<project>",
    "Projects": "/projects", "Keys": "/keys", "Prices": "/prices", "Team": "/team", "Settings": "/settings",
    "CSV of Spend, today": "/spend.csv?period=today", "CSV of Spend": "/spend.csv",
}  # fmt: skip


class Size(NamedTuple):
    """Figures of one size. sql, pages: ms by name of question or page; rate: calls opened and settled per second."""

    rows: int
    seconds: float  # that filling took
    sql: dict[str, float]
    pages: dict[str, float]
    rate: float


def questions(ids: dict[str, str]) -> dict[str, tuple[str, list[Any]]]:
    """Name of each question → its query and the values for it. ids: see _ids."""
    found: dict[str, tuple[str, list[Any]]] = {}
    month, tomorrow = ids["month"], ids["tomorrow"]
    for view in VIEWS:
        found[f"{view}, 30 days"] = (f"select * from public.{view} where day >= %s", [month])
    found["12 months by project"] = (
        "select date_trunc('month', day), project, sum(cost) from public.spend_by_project"
        " where day >= %s group by 1, 2",
        [ids["year"]],
    )
    for by in ("project", "model", "key", "end_user", "tag"):
        found[f"Spend page by {by}"] = (REPORT, [month, tomorrow, ids["before"], month, "UTC", "day", by])
    for zone in ("Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"):
        for name, period, grain in (
            ("30 days", (month, tomorrow, ids["before"], month), "day"),
            ("12 months", (ids["year"], tomorrow, None, None), "month"),
            ("a day by hour", (ids["today"], tomorrow, None, None), "hour"),
        ):
            words = [day and f"{day} {zone}" for day in period]
            found[f"Spend page, {name}, {zone}"] = (REPORT, [*words, zone, grain, "project"])
    found["a project's 12 months"] = (
        "select * from app.spend_months(12, 0, %s, 'UTC')",
        [json.dumps({"project": [ids["project"]]})],
    )
    for name, filters in FILTERS.items():
        words = {key: [ids.get(value.strip("<>"), value)] for key, value in filters.items()}
        query = "select * from app.calls_page(%s, %s, %s, null, null, 51)"
        found[f"newest calls, filter: {name}"] = (query, [month, tomorrow, json.dumps(words)])
    found["models without a price"] = ("select * from public.unpriced_models", [])
    return found


def run(folder: Path, sizes: tuple[int, ...], *, write: bool) -> tuple[str, bool]:
    """All figures as Markdown, and whether the largest size reaches the targets. write: keep some for growth.py."""
    found = []
    with server(folder) as cluster:
        empty = _measure(cluster, 0)
        found = [_measure(cluster, rows) for rows in sizes]
    if write:
        pages = [
            {"rows": s.rows, "spend_page_ms": s.pages["Spend"], "sql_ms": s.sql["Spend page by project"]} for s in found
        ]
        tools.CACHE.mkdir(exist_ok=True)
        (tools.CACHE / "pages.json").write_text(json.dumps(pages))
    names = [f"{size.rows:,}" for size in found]
    texts = [
        table(["SQL, ms", *names], [[name, *(number(size.sql[name]) for size in found)] for name in found[0].sql]),
        table(["page, ms", *names], [[name, *(number(size.pages[name]) for size in found)] for name in found[0].pages]),
        table(["", "none", *names], [
            ["calls settled a second, one connection", *(number(s.rate) for s in (empty, *found))],
            ["seconds to fill it", "", *(number(s.seconds) for s in found)],
        ]),
    ]  # fmt: skip
    largest = found[-1]
    late = [f"{name}: {ms:.0f} ms" for part, target in ((largest.sql, SQL_TARGET), (largest.pages, PAGE_TARGET))
            for name, ms in part.items() if ms > target]  # fmt: skip
    share = largest.rate / empty.rate
    texts.append(f"Slower than {SQL_TARGET} ms in SQL or {PAGE_TARGET} ms as a page: {', '.join(late) or 'none'}. "
                 f"Rate beside {largest.rows:,} rows: {share:.2f} of that beside none.")  # fmt: skip
    return "\n\n".join(texts), not late and share >= RATE_TARGET


@contextmanager
def server(folder: Path) -> Iterator[Cluster]:
    """A durable server on disk, as SpendAI runs it, with a cache of half a gigabyte."""
    folder.chmod(0o755)
    server = Cluster(folder / "rows", folder / "s", settings={"shared_buffers": "512MB", "max_wal_size": "4GB"})
    server.own(folder)
    server.socket.mkdir(mode=0o700)
    server.own(server.socket)
    server.create("temporary")
    server.start()
    try:
        with psycopg.connect(server.dsn(SUPERUSER, "temporary")) as conn:
            supabase(conn)
            conn.execute("alter role postgres password 'temporary'")
        yield server
    finally:
        server.stop()


def supabase(conn: psycopg.Connection) -> None:
    for file in ("supabase.sql", "local_auth.sql"):
        conn.execute((ROOT / "db" / file).read_text())


def _measure(server: Cluster, rows: int) -> Size:
    """Fill a new database and measure everything in it; with 0 rows, only the rate."""
    name, admin = f"rows_{rows}", server.dsn(SUPERUSER, "temporary")
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(f"create database {name} owner postgres")
    admin, owner = server.dsn(SUPERUSER, "temporary", name), server.dsn("postgres", "temporary", name)
    with psycopg.connect(admin) as conn:
        supabase(conn)
    config = load(
        SECRETS | {"DATABASE_URL": owner, "SPENDAI_HOME": str(server.data.parent / name), "DATABASE_PREPARED": "1"}
    )
    migrate(owner, passwords=db.passwords(config))
    say(f"{rows:,} calls")
    begun = time.monotonic()
    company = ledger_rows.fill(admin, max(rows, 100))["Large"]
    seconds = time.monotonic() - begun
    sql: dict[str, float] = {}
    pages: dict[str, float] = {}
    if rows:
        with psycopg.connect(admin, autocommit=True) as conn:
            ids = _ids(conn, company)
            sql = {
                name: _median(lambda q=q, v=v: conn.execute(q, v).fetchall()) for name, (q, v) in questions(ids).items()
            }
        with _gateway(config, server.data.parent / f"{name}.log") as url:
            pages = _pages(url, ids)
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute("checkpoint")  # the writes that filling left over must not count
    rate = statistics.median(settling.rate(owner, RATE_SECONDS / 3) for _ in range(3))
    with psycopg.connect(admin) as conn:
        assert not conn.execute("select * from app.totals_differences(now()::date - 2)").fetchall()
    return Size(rows, seconds, sql, pages, rate)


def _ids(conn: psycopg.Connection, company: ledger_rows.Company) -> dict[str, str]:
    """Values for questions and pages: days and ids. From now on the connection acts as the organization's admin."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = {"tomorrow": 0, "month": 30, "year": 365, "today": 1, "before": 60}
    found = {name: (tomorrow - timedelta(days=back)).date().isoformat() for name, back in days.items()}
    for name, relation in (("project", "projects"), ("key", "api_keys")):
        query = f"select min(id::text) from public.{relation} where org_id = %s"
        (found[name],) = conn.execute(query, [company.org_id]).fetchone()
    claims = json.dumps({"sub": str(company.user_id), "role": "authenticated"})
    conn.execute("select set_config('request.jwt.claims', %s, false)", [claims])
    conn.execute("set role authenticated; set jit = off")  # as for pages
    return found


@contextmanager
def _gateway(config: Any, log: Path) -> Iterator[str]:
    """gunicorn with two workers on this database; its address."""
    port = free_port()
    environ = os.environ | SECRETS | {
        "DATABASE_URL": config.database_url, "SPENDAI_HOME": str(config.home), "DATABASE_PREPARED": "1",
        "PORT": str(port), "WORKERS": "2", "DRAIN_SECONDS": "1",
    }  # fmt: skip
    with log.open("wb") as out:
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: requests.get(f"{url}/readyz", timeout=5).ok)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except requests.ConnectionError:
            pass
        if time.monotonic() > end:
            raise TimeoutError("the gateway does not come up")
        time.sleep(0.1)


def _pages(url: str, ids: dict[str, str]) -> dict[str, float]:
    """Page → ms from the request to its last byte."""
    with requests.Session() as browser:
        token = re.search(r'name="csrf_token" value="([^"]*)"', browser.get(f"{url}/login").text)[1]
        words = {"csrf_token": token, "email": "large@bench.test", "password": ledger_rows.PASSWORD}
        browser.post(f"{url}/login", data=words, headers={"Origin": url}).raise_for_status()
        addresses = PAGES | {
            f"Calls, filter: {name}": "/calls?" + "&".join(f"{key}={value}" for key, value in filters.items())
            for name, filters in FILTERS.items()
        }

        def get(address: str) -> None:
            answer = browser.get(url + re.sub(r"<(\w+)>", lambda found: ids[found[1]].split("T")[0], address))
            assert answer.ok and "/login" not in answer.url, (address, answer.status_code)

        return {name: _median(lambda address=address: get(address)) for name, address in addresses.items()}


def _median(ask: Callable[[], object]) -> float:
    """Median milliseconds of TIMES runs, after one that does not count."""
    taken = []
    for _ in range(TIMES + 1):
        begun = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken[1:])
