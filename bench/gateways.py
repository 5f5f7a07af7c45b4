"""A durable server, and connections that open and settle calls on it as gateways do: what the server spends on them.

Each transaction settles a batch of earlier calls and opens as many new ones. Processor time is that of all processes of
the server, without its clients, so that it holds on a busy machine too.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from people import People
from psycopg.rows import dict_row

from bench import procs, rls, settling, storage
from bench.versus import say
from webapp.postgres.cluster import SUPERUSER, Cluster
from webapp.postgres.programs import run_as

ORGANIZATIONS, UNDER_WAY, USERS = 8, 62, 2_000  # calls under way on a connection; end users of an organization
WARM = 4  # transactions of each connection that do not count: it plans its statements
SETTINGS = {
    "shared_buffers": "1GB", "max_wal_size": "32GB", "checkpoint_timeout": "1h", "autovacuum": "off",
    "max_connections": "200", "dynamic_shared_memory_type": "mmap",
}  # fmt: skip
LSN = "select pg_current_wal_insert_lsn()::text"
LOG = """
select split_part("resource_manager/record_type", '/', 1) as what, sum(record_size)::bigint as records,
    sum(fpi_size)::bigint as pages
from pg_get_wal_stats(%s, %s, true) group by 1
"""
XIDS = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
WAITS = """
select coalesce(wait_event_type || ': ' || wait_event, 'running') from pg_stat_activity
where usename = 'spendai_proxy' and state = 'active'
"""
WRITE_LOG = "select pg_logical_emit_message(true, 'end', '')"  # its commit writes the log up to here


class Round(NamedTuple):
    """Figures of a number of calls. cpu: seconds of the server; log, pages: bytes of records and of full pages, by what
    they are of; waits: how often connections were seen in each state."""

    connections: int
    batch: int
    calls: int
    seconds: float
    cpu: float
    log: dict[str, int]
    pages: dict[str, int]
    xids: int
    waits: Counter[str]


class Server:
    """The product's schema on a server, organizations with keys, and calls made with them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        rls.database(cluster)
        self.conn = self.connect(dict_row)
        people = People(self.conn)
        for n in range(ORGANIZATIONS):
            people.found(f"org{n}", f"org{n}")
        self.conn.execute("reset role; alter role spendai_proxy login password 'temporary'")
        self.conn.execute("create extension pg_walinspect; create extension pgstattuple")
        self.conn.execute("select app.ensure_partition(now()::date)")
        self.keys = [tuple(row.values()) for row in self.all(settling.KEYS)]
        self.month = f"private.usage_logs_{date.today():%Y_%m}"
        self.calls = 0

    def connect(self, row_factory: Any = None) -> psycopg.Connection:
        """A superuser's connection."""
        words = {"row_factory": row_factory} if row_factory else {}
        return psycopg.connect(self.cluster.dsn(SUPERUSER, "temporary"), autocommit=True, **words)

    def restart(self, **settings: str) -> None:
        self.conn.close()
        self.cluster.stop()
        self.cluster.settings = self.cluster.settings | settings
        self.cluster.start()
        self.conn = self.connect(dict_row)

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.conn.execute(query, values or None).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        """The only value of a query."""
        return next(iter(self.all(query, *values)[0].values()))

    def cpu(self) -> float:
        """Seconds of processor time of all processes of the server so far."""
        return procs.cpu_seconds(procs.tree(self.cluster.process.pid))

    def run(self, connections: int, batch: int, calls: int, *, checkpoint: bool = False) -> Round:
        """Open and settle so many calls, by so many connections at once; if wanted, right after a checkpoint."""
        say(f"{calls:,} calls, {connections} connections, batches of {batch}")
        barrier, waits = threading.Barrier(connections + 1), Counter()
        with ThreadPoolExecutor(connections) as pool, _aborting(barrier):
            jobs = [pool.submit(self._work, n, batch, calls // connections, barrier) for n in range(connections)]
            try:
                barrier.wait()  # all have warmed up
                if checkpoint:
                    self.conn.execute("checkpoint")
                start, xids = self.one(LSN), self.one(XIDS)
                with self.watched(WAITS, 0.05, lambda rows: waits.update(row[0] for row in rows)):
                    cpu, begun = self.cpu(), time.monotonic()
                    barrier.wait()
                    barrier.wait()  # all calls are settled, all connections are still there
                    seconds, cpu, xids = time.monotonic() - begun, self.cpu() - cpu, self.one(XIDS) - xids
                barrier.wait()
            except threading.BrokenBarrierError:
                errors = [job.exception() for job in jobs]
                raise next(e for e in errors if not isinstance(e, threading.BrokenBarrierError | None)) from None
            done = sum(job.result() for job in jobs)
        end = self.one(LSN)
        self.conn.execute(WRITE_LOG)
        log = self.all(LOG, start, end)
        sizes = [{row["what"]: row[part] for row in log} for part in ("records", "pages")]
        self.calls += done + connections * WARM * batch
        return Round(connections, batch, done, seconds, cpu, *sizes, xids, waits)

    def _work(self, n: int, batch: int, calls: int, barrier: threading.Barrier) -> int:
        """One connection's calls; how many, without those to warm up."""
        with _aborting(barrier), Gateway(self, n, batch) as gateway:
            for _ in range(WARM):
                gateway.transaction(opening=True)
            gateway.settle_all()
            barrier.wait()
            barrier.wait()
            done = 0
            while done < calls:
                done += gateway.transaction(opening=True)
            gateway.settle_all()
            barrier.wait()
            barrier.wait()
        return done

    def newcomer(self) -> dict[str, float]:
        """What a new connection takes for its first call: seconds of processor time, MB of memory of its own."""
        with Gateway(self, 0, 1) as gateway:
            pid = gateway.conn.info.backend_pid
            cpu = procs.cpu_seconds([pid])
            gateway.transaction(opening=True)
            gateway.settle_all()
            self.calls += 1
            memory = Path(f"/proc/{pid}/status").read_text().partition("\nRssAnon:")[2].split()[0]
            return {"cpu": procs.cpu_seconds([pid]) - cpu, "mb": int(memory) / 1000}

    @contextmanager
    def watched(self, query: str, seconds: float, take: Callable[[list[tuple[Any, ...]]], None]) -> Iterator[None]:
        """Give the rows of a query to ``take``, again and again."""
        stop = threading.Event()

        def watch() -> None:
            with self.connect() as conn:
                while not stop.wait(seconds):
                    take(conn.execute(query).fetchall())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


@contextmanager
def _aborting(barrier: threading.Barrier) -> Iterator[None]:
    """Let nobody wait at the barrier for somebody who failed."""
    try:
        yield
    except BaseException:
        barrier.abort()
        raise


class Gateway:
    """One connection of a gateway's worker to the ledger, with the calls that it has under way."""

    def __init__(self, server: Server, n: int, batch: int) -> None:
        self.keys, self.batch = server.keys, batch
        self.under_way = max(UNDER_WAY, batch)
        self.dice, self.waiting = random.Random(server.calls * 1_000 + n), []
        dsn = server.cluster.dsn("spendai_proxy", "temporary")
        self.conn = psycopg.connect(dsn, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *exc: object) -> None:
        self.conn.close()

    def transaction(self, *, opening: bool) -> int:
        """Settle as many calls as a batch has, in any order, and open as many new ones; how many it opened."""
        opens, ends = self._messages() if opening else ([], [])
        least = self.under_way if opens else 0
        settles = [self.waiting.pop(self.dice.randrange(len(self.waiting))) for _ in range(self.batch)
                   if len(self.waiting) > least]  # fmt: skip
        with self.conn.transaction():
            for statement, messages in ((settling.SETTLE, settles), (settling.OPEN, opens)):
                text = json.dumps([message | {"n": n} for n, message in enumerate(messages)])
                count = self.conn.execute(statement, [text]).fetchone()[0] if messages else 0
                assert count == len(messages), f"{count} of {len(messages)}: {statement}"
        self.waiting += ends
        return len(opens)

    def settle_all(self) -> None:
        while self.waiting:
            self.transaction(opening=False)

    def _messages(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Calls of all organizations, of the kinds that storage.py has."""
        dice = self.dice
        opens, ends = settling.message_pairs(dice.sample(self.keys, len(self.keys)), self.batch)
        for opened, end in zip(opens, ends, strict=True):
            endpoint, _, model, usage, prefix = dice.choices(storage.KINDS, [kind[1] for kind in storage.KINDS])[0]
            both = {
                "endpoint": endpoint, "end_user": f"user-{dice.randrange(USERS)}" if dice.random() < 0.5 else None,
                "tags": {"team": dice.choice(["search", "support"]), "env": "live"} if dice.random() < 0.5 else {},
            }  # fmt: skip
            opened.update(both, model=model)
            end.update(
                both, model=model, model_requested=model, makes=prefix == "resp_",
                usage=storage.usage_of(usage, dice.randint(20, 6000), dice.randint(5, 1500)),
                upstream_object_id=prefix + f"{dice.getrandbits(140):029x}" if prefix else None,
                upstream_request_id=f"req_{UUID(int=dice.getrandbits(128)).hex}",
            )  # fmt: skip
        return opens, ends


@contextmanager
def started(folder: Path, name: str, primary: Cluster | None = None) -> Iterator[Cluster]:
    """A new server on disk, or a standby of ``primary``, made by pg_basebackup."""
    home = folder / name
    home.mkdir(mode=0o755)
    cluster = Cluster(home / "data", home / "socket", settings=SETTINGS)
    cluster.own(home)
    cluster.socket.mkdir(mode=0o700)
    cluster.own(cluster.socket)
    if primary:
        command = [cluster.bindir / "pg_basebackup", "-D", cluster.data, "-R", "-c", "fast", "-X", "stream"]
        command += ["-d", primary.dsn(SUPERUSER, "temporary")]
        subprocess.run(command, check=True, capture_output=True, **run_as(cluster.user))
    else:
        cluster.create("temporary")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
