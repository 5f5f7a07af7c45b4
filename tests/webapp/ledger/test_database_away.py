"""While the database is slow, read-only, full or failing over, no call is lost and none is sent without its row."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import gevent
import psycopg
import pytest
import requests
from conftest import SETTLED, new_id
from fake_openai import chat
from fake_upstream import reply_json
from psycopg.conninfo import conninfo_to_dict
from replicas import copy
from stack import SECRETS, Stack

from bench.procs import tree
from webapp import db
from webapp.config import ROOT, Config, load
from webapp.ledger.ledger import Ledger
from webapp.ledger.spool import Spool, read_lines
from webapp.metrics.measured import REPLAYED, SETTLE_PROBLEMS
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
PRICE = Decimal("0.00000885")
THIS_MONTH = "select tableoid::regclass::text as name from public.usage_logs limit 1"


def drop_connections(stack: Stack) -> None:
    """End the ledger's connections to this database, and wait until they are gone."""
    where = "from pg_stat_activity where datname = current_database() and usename = 'spendai_proxy'"
    pids = [row["pid"] for row in stack.conn.execute(f"select pid, pg_terminate_backend(pid) {where}").fetchall()]
    stack.wait_for(lambda: not stack.conn.execute(f"select 1 {where} and pid = any(%s)", [pids]).fetchall())


def between_open_and_settle(fake, deed) -> None:
    """Run ``deed`` when the next call has reached the upstream, before the upstream answers."""

    def write(wire) -> None:
        deed()
        reply_json(chat(CHAT))(wire)

    fake.queue("/v1/chat/completions", write)


def settles(stack: Stack, answer: requests.Response) -> None:
    row = stack.wait_for(lambda: (r := stack.row(answer)) and r["state"] == "settled" and r, 20)
    assert (row["cost"], row["cost_status"]) == (PRICE, "priced")


def test_calls_succeed_after_idle_connections_to_the_database_broke(stack):
    for _ in range(8):  # both workers have theirs
        assert stack.post(json=CHAT).ok
    drop_connections(stack)
    answers = [stack.post(json=CHAT) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 8


def test_a_call_is_settled_later_if_the_server_becomes_read_only(stack, fake):
    name = stack.conn.info.dbname
    off = f"alter database {name} reset default_transaction_read_only"

    def turn() -> None:
        stack.conn.execute(f"alter database {name} set default_transaction_read_only = on")
        drop_connections(stack)

    between_open_and_settle(fake, turn)
    try:
        answer = stack.post(json=CHAT)
        assert answer.ok and stack.row(answer)["state"] == "open"
        sent = len(fake.requests)
        refused = stack.post(json=CHAT)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ledger_unavailable")
        assert refused.headers["retry-after"] and len(fake.requests) == sent
    finally:
        stack.conn.execute("set default_transaction_read_only = off")
        stack.conn.execute(off)
    drop_connections(stack)
    settles(stack, answer)


def test_without_a_free_connection_calls_are_refused_and_settles_are_retried(stack, fake):
    def close_door() -> None:
        stack.conn.execute("alter role spendai_proxy connection limit 0")
        drop_connections(stack)

    between_open_and_settle(fake, close_door)
    try:
        answer = stack.post(json=CHAT)
        assert answer.ok and stack.row(answer)["state"] == "open"
        sent = len(fake.requests)
        assert stack.post(json=CHAT).status_code == 503
        assert len(fake.requests) == sent
        assert stack.wait_for(lambda: "ledger_unavailable" in readiness(stack)), "the worker that refused is not ready"
    finally:
        stack.conn.execute("alter role spendai_proxy connection limit -1")
    settles(stack, answer)
    stack.wait_for(lambda: stack.post(json=CHAT).ok and {readiness(stack) for _ in range(8)} == {"ready"})


def readiness(stack: Stack) -> str:
    """What one of the workers says at /readyz: ready, or the code of its error."""
    answer = requests.get(f"{stack.url}/readyz", timeout=10)
    return "ready" if answer.ok else answer.json()["error"]["code"]


def test_calls_succeed_in_a_month_that_nobody_made_in_advance(stack_dsns, fake):
    """Also without a restart: the gateway's connection may be older than the month."""
    with Stack(*stack_dsns("spendai_month"), OPENAI_BASE_URL=fake.url, OPENAI_API_KEY="sk-up", WORKERS="1") as stack:
        assert stack.post(json=CHAT).ok
        stack.conn.execute("reset role")
        stack.conn.execute(f"drop table {stack.conn.execute(THIS_MONTH).fetchone()['name']}")
        assert [stack.post(json=CHAT).status_code for _ in range(3)] == [200] * 3
        assert stack.count() == 3


def test_a_settle_that_is_canceled_is_retried(stack, fake):
    """As statement_timeout cancels it: the error is the same."""
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with psycopg.connect(stack.admin_dsn) as blocker:
            blocker.execute("select from public.usage_logs where state = 'open' for update")
            locked.set()
            release.wait(60)

    cancel = """select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%settle_calls%'"""
    blocker = threading.Thread(target=hold)
    between_open_and_settle(fake, lambda: (blocker.start(), locked.wait(60)))
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(stack.post, json=CHAT)
        stack.wait_for(lambda: stack.conn.execute(cancel).fetchall(), 30)
        answer = calling.result()
    assert answer.ok and stack.row(answer)["state"] == "open"
    release.set()
    blocker.join()
    settles(stack, answer)


def test_calls_go_on_while_pages_use_all_of_their_connections(stack):
    words = {"email": "crowd@example.test", "password": "correct horse", "organization": "Crowd"}
    token = requests.post(f"{stack.url}/api/v1/auth/signup", json=words, timeout=60).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    def look() -> int:
        return requests.get(f"{stack.url}/api/v1/me", headers=header, timeout=60).status_code

    waiting = "select count(*) as n from pg_stat_activity where usename = 'spendai_web' and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(16) as pool, psycopg.connect(stack.admin_dsn) as blocker:
        blocker.execute("lock table public.members in access exclusive mode")
        crowd = [pool.submit(look) for _ in range(16)]
        stack.wait_for(lambda: stack.conn.execute(waiting).fetchone()["n"] >= 3)
        assert [stack.post(json=CHAT).status_code for _ in range(10)] == [200] * 10
        blocker.rollback()
        assert {each.result() for each in crowd} <= {200, 503}
    assert look() == 200


@pytest.fixture
def ledger(site):
    ledger = Ledger(site.config)
    yield ledger
    ledger.close()


def message(site, **changes):
    """The settle message of an open call."""
    ada = site.sign_up("poison")
    project = ada.post("/projects", {"name": "p"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "k"}).json
    outcome, opened = site._open(key)
    assert outcome == "opened"
    return opened | SETTLED | changes


def row(site, call):
    return site.sql("select state, cost_status, cost from public.usage_logs where id = %s", call["id"])[0]


def test_a_bad_message_does_not_affect_its_batch_and_its_call_is_settled_without_cost(site, ledger):
    good = [message(site) for _ in range(3)]
    bad = message(site, usage={"prompt_tokens": 1, "note": "\x00"})
    jobs = [gevent.spawn(ledger.settle, each) for each in (good[0], good[1], bad, good[2])]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value for job in jobs] == ["settled"] * 4
    assert [row(site, each)[1] for each in good] == ["priced"] * 3
    assert row(site, bad) == ("settled", "no_usage", None)


def test_the_call_of_another_database_is_kept_and_settled_when_it_comes_to_its_own(site, tmp_path):
    """A gateway with calls in its spool is started with another DATABASE_URL: there is no such organization there."""
    home = Config(**{**vars(site.config), "home": tmp_path})
    folder = tmp_path / "spool"
    call = message(site)
    stranger = call | {"id": str(uuid4()), "org_id": str(uuid4())}
    left = Spool(folder, lambda message: False)
    for each in (stranger, call):
        left.put(each)
    left.close()
    refused = SETTLE_PROBLEMS["refused"].value()
    deliver_spool(home)
    assert SETTLE_PROBLEMS["refused"].value() == refused + 1
    assert row(site, call)[:2] == ("settled", "priced")
    assert not site.sql("select 1 from public.usage_logs where id = %s", stranger["id"])
    assert list(folder.glob("*.spool")) == []
    rejected = folder / "rejected.lines"
    assert list(read_lines(rejected.read_bytes())) == [stranger]
    rejected.unlink()
    own = message(site)  # of this database, and rejected by another
    Spool(folder, lambda message: False).set_aside(own)
    rejected.rename(folder / "rejected.spool")
    deliver_spool(home)
    assert row(site, own)[:2] == ("settled", "priced")
    assert [path.name for path in folder.glob("*")] == ["replay.lock"]


def deliver_spool(home: Config) -> None:
    """Start a ledger, and end it when it has delivered what is in the spool."""
    ledger = Ledger(home)
    ledger._replay.join(10)
    ledger.close()
    assert ledger.replayed


def test_an_open_that_is_committed_late_is_settled_as_not_sent(site, ledger):
    call = message(site)
    never_sent = {name: call[name] for name in ("id", "started_at", "max_seconds")}
    never_sent |= {"outcome": "error", "status_code": 503}
    absent, before = never_sent | {"id": str(new_id(0))}, REPLAYED.value()
    assert not ledger._settle_late(absent), "its open may still be committed"
    assert ledger._settle_late(absent | {"started_at": "2026-01-01T00:00:00+00:00"})
    assert ledger._settle_late(never_sent) and ledger._settle_late(never_sent)
    assert row(site, call) == ("settled", "error", 0)
    assert REPLAYED.value() == before + 1, "one call was settled later, although two messages of it were delivered"


def test_a_call_that_runs_when_the_worker_stops_is_settled_by_the_next_start(site, ledger):
    call = message(site)
    ledger._running[call["id"]] = lambda: call
    ledger.close()
    assert row(site, call)[0] == "open"
    again = Ledger(site.config)
    again._replay.join(10)
    again.close()
    assert again.replayed and row(site, call)[:2] == ("settled", "priced")


def test_a_worker_is_not_ready_while_another_one_replays_the_spool(site, tmp_path):
    home = Config(**{**vars(site.config), "home": tmp_path})
    folder = tmp_path / "spool"
    folder.mkdir()
    call = message(site)
    left = Spool(folder, lambda message: False)
    left.put(call)
    left.close()
    with (folder / "replay.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ledger = Ledger(home)
        ledger._replay.join(0.3)
        assert not ledger.replayed and row(site, call)[0] == "open"
    ledger._replay.join(10)
    ledger.close()
    assert ledger.replayed and row(site, call)[0] == "settled"


def test_a_spool_that_cannot_be_read_is_named_once_and_delivered_when_it_can(site, tmp_path, caplog, monkeypatch):
    home = Config(**{**vars(site.config), "home": tmp_path})
    folder = tmp_path / "spool"
    unreadable = folder / "a.spool"
    unreadable.mkdir(parents=True)  # stands for a file of another user: root, who runs tests, reads those
    call = message(site)
    left = Spool(folder, lambda message: False)
    left.put(call)
    left.close()
    tries, sleep = [], gevent.sleep

    def next_try(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            unreadable.rmdir()
        sleep(0)

    monkeypatch.setattr("webapp.ledger.ledger.gevent.sleep", next_try)
    ledger = Ledger(home)
    ledger._replay.join(10)
    ledger.close()
    assert ledger.replayed and row(site, call)[0] == "settled"
    assert [record.getMessage() for record in caplog.records if str(unreadable) in record.getMessage()] == [
        f"the spool of an earlier run cannot be read, so calls in it are not settled: [Errno 21] Is a directory: "
        f"'{unreadable}'"
    ]


def test_a_spool_that_cannot_be_written_is_said_at_the_start(site, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.F_OK)  # as on a read-only file system
    ledger = Ledger(Config(**{**vars(site.config), "home": tmp_path}))
    ledger._replay.join(10)
    ledger.close()
    assert ledger.replayed
    assert f"{tmp_path / 'spool'} cannot be written" in caplog.text


@contextmanager
def standby(primary: Cluster, password: str):
    """A standby server that replicates the primary."""
    base = Path(tempfile.mkdtemp(prefix="spendai-standby-", dir=primary.data.parent.parent))
    base.chmod(0o755)
    follower = Cluster(base / "data", base / "socket", bindir=primary.bindir, durable=False)
    try:
        copy(primary, follower, primary.dsn(SUPERUSER, password))
        follower.start()
        yield follower
    finally:
        follower.stop()
        shutil.rmtree(base, ignore_errors=True)


def test_of_several_servers_the_writable_one_is_used():
    def parts(url: str) -> dict:
        return conninfo_to_dict(db.dsn(load(SECRETS | {"DATABASE_URL": url}), "spendai_proxy"))

    several = parts("postgresql://postgres@one,two/postgres")
    assert (several["host"], several["target_session_attrs"], several["connect_timeout"]) == (
        "one,two",
        "read-write",
        "2",
    )
    assert parts("postgresql://postgres@one,two/postgres?target_session_attrs=any")["target_session_attrs"] == "any"
    assert "target_session_attrs" not in parts("postgresql://postgres@one/postgres")


def test_after_a_failover_the_promoted_server_is_used_and_no_settle_is_lost(fake):
    with temporary() as primary:
        for file in ("db/supabase.sql", "db/local_auth.sql"):
            with psycopg.connect(primary.dsn(SUPERUSER, "temporary")) as conn:
                conn.execute((ROOT / file).read_text())
                conn.execute("alter role postgres password 'temporary'")
        with standby(primary, "temporary") as follower:
            both = f"postgresql://postgres:temporary@/postgres?host={primary.socket},{follower.socket}&port=5432,5432"
            admin = primary.dsn(SUPERUSER, "temporary")
            environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url}
            with Stack(both, admin, **environ) as stack:
                assert stack.post(json=CHAT).ok
                position = stack.conn.execute("select pg_current_wal_lsn()::text as at").fetchone()["at"]
                with psycopg.connect(follower.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
                    query = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
                    stack.wait_for(lambda: conn.execute(query, [position]).fetchone()[0])

                    def fail() -> None:
                        for pid in tree(primary.process.pid):  # a session would outlive its postmaster for a moment
                            os.kill(pid, signal.SIGKILL)
                        primary.process.wait()

                    between_open_and_settle(fake, fail)
                    answer = stack.post(json=CHAT)
                    assert answer.ok
                    assert stack.post(json=CHAT).status_code == 503, "the standby is read-only"
                    conn.execute("select pg_promote()")
                    stack.wait_for(lambda: stack.post(json=CHAT).ok, 20)
                    found = "select cost from public.usage_logs where id = %s and state = 'settled'"
                    call_id = answer.headers["x-spendai-call-id"]
                    assert stack.wait_for(lambda: conn.execute(found, [call_id]).fetchone(), 20) == (PRICE,)
