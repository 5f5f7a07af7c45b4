"""What does the database do for a call? Measured on one server, for the arithmetic of 10,000 calls a second.

Log and processor time for each size of a batch, full pages after a checkpoint, what table and indexes keep, vacuum,
waits of many connections, many partitions, and a standby that replays. ``capacity.py`` makes the tables and reckons.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg

from bench import capacity, machine, procs
from bench.gateways import LSN, WRITE_LOG, Server, started
from bench.versus import say
from webapp.postgres.cluster import SUPERUSER

BATCHES = ((16, 1, 4_000), (16, 8, 16_000), (16, 32, 32_000), (16, 128, 64_000))  # connections, batch, calls
FEW = (4, 8, 400)  # of which the full pages show whether the formula for random pages holds
CROWDS = ((64, 8, 16_000), (128, 8, 16_000))
FEWER = (16, 8, 8_000)  # a crowd beside MANY partitions
FOLLOWED = (16, 32, 32_000)
SIDE_BY_SIDE = ((4, 1, 2_000), (4, 32, 12_000))  # before and after MANY partitions are there
MANY = 400  # 13 months by day
LOCKS = (64, 1_024)  # max_locks_per_transaction: the default, and more
MANY_LOCKS = (64, 4_096)  # beside MANY partitions
PARTITIONS = "select count(*) from pg_inherits where inhparent = 'public.usage_logs'::regclass"
INDEXES = """
select p.indexrelid::regclass::text as what, pg_relation_size(c.oid) as bytes, c.oid::regclass::text as name
from pg_index p
join pg_inherits i on i.inhparent = p.indexrelid
join pg_index own on own.indexrelid = i.inhrelid
join pg_class c on c.oid = i.inhrelid
where p.indrelid = 'public.usage_logs'::regclass and own.indrelid = %s::regclass
order by 1
"""
SUMS = """
select relname as name, n_tup_ins as made, n_tup_upd as changed, n_tup_hot_upd as hot, n_dead_tup as dead,
    pg_total_relation_size(relid) as bytes
from pg_stat_user_tables where relname ~ '^(hourly|daily)_(totals|labels)$' order by relname
"""
LAG = """
select sent_lsn - replay_lsn, coalesce(extract(epoch from replay_lag), 0)::float from pg_stat_replication
"""


def kept(server: Server) -> dict[str, Any]:
    """What this month's partition takes: bytes of the table and of each index, how full their pages are."""
    table = server.all("select * from pgstattuple(%s)", server.month)[0]
    indexes = server.all(INDEXES, server.month)
    for index in indexes:
        index |= {"full": server.one("select avg_leaf_density from pgstatindex(%s)", index["name"])}
    server.conn.execute("select pg_stat_force_next_flush()")
    return {"calls": server.calls, "sums": server.all(SUMS), "table": table, "indexes": indexes}


def vacuumed(server: Server, options: str) -> dict[str, float]:
    """Vacuum this month's partition after a checkpoint: seconds of processors, bytes of log, and of how many calls."""
    server.conn.execute("checkpoint")
    start, cpu = server.one(LSN), server.cpu()
    server.conn.execute(f"vacuum ({options}, index_cleanup on, truncate off) {server.month}")
    log = server.one("select pg_current_wal_insert_lsn() - %s::pg_lsn", start)
    return {"cpu": server.cpu() - cpu, "log": float(log), "calls": server.calls}


def followed(server: Server, folder: Path) -> dict[str, Any]:
    """A standby beside the load: how far it is behind; and how fast it replays what it was kept from."""
    say("a standby")
    with (
        started(folder, "standby", server.cluster) as standby,
        psycopg.connect(standby.dsn(SUPERUSER, "temporary"), autocommit=True) as conn,
    ):
        (startup,) = conn.execute("select pid from pg_stat_activity where backend_type = 'startup'").fetchone()

        def until(function: str, position: str) -> None:
            server.conn.execute(WRITE_LOG)
            while not conn.execute(f"select {function}() >= %s::pg_lsn", [position]).fetchone()[0]:
                time.sleep(0.01)

        server.conn.execute("checkpoint")
        until("pg_last_wal_replay_lsn", server.one(LSN))
        lags: list[tuple[float, float]] = []
        cpu = procs.cpu_seconds([startup])
        with server.watched(LAG, 0.1, lambda rows: lags.extend((float(size), late) for size, late in rows)):
            beside = server.run(*FOLLOWED)
        until("pg_last_wal_replay_lsn", server.one(LSN))
        beside_cpu = procs.cpu_seconds([startup]) - cpu
        conn.execute("select pg_wal_replay_pause()")
        start = server.one(LSN)
        alone = server.run(*FOLLOWED)
        end = server.one(LSN)
        until("pg_last_wal_receive_lsn", end)
        cpu, begun = procs.cpu_seconds([startup]), time.monotonic()
        conn.execute("select pg_wal_replay_resume()")
        until("pg_last_wal_replay_lsn", end)
        return {
            "cpu": beside_cpu / beside.calls, "rate": beside.calls / beside.seconds, "lags": lags,
            "alone": {"calls": alone.calls, "seconds": time.monotonic() - begun,
                      "cpu": procs.cpu_seconds([startup]) - cpu,
                      "log": float(server.one("select %s::pg_lsn - %s::pg_lsn", end, start))},
        }  # fmt: skip


def side(server: Server) -> dict[str, Any]:
    """Calls beside the partitions that are there, and what a new connection takes."""
    return {"partitions": server.one(PARTITIONS), "rounds": [server.run(*words) for words in SIDE_BY_SIDE],
            "newcomer": server.newcomer()}  # fmt: skip


def crowds(server: Server, locks: int, *words: tuple[int, int, int]) -> list[capacity.Crowd]:
    """Rounds of many connections with room for so many locks; None for one that Postgres has not enough room for."""
    server.restart(max_locks_per_transaction=str(locks))
    found = []
    for each in words:
        try:
            figures = server.run(*each)
        except psycopg.errors.OutOfMemory as error:
            say(str(error))
            figures = None
        found.append(capacity.Crowd(each[0], server.one(PARTITIONS), locks, figures))
    return found


def run(folder: Path) -> tuple[str, bool]:
    """The figures and the arithmetic as Markdown, and True: a call that is not settled ends the run."""
    with started(folder, "primary") as cluster:
        server = Server(cluster)
        rounds = [server.run(*words, checkpoint=True) for words in BATCHES]
        before = kept(server)
        few = server.run(*FEW, checkpoint=True)
        clean = vacuumed(server, "freeze off")
        after = kept(server)
        standby = followed(server, folder)
        again = kept(server)
        freeze = vacuumed(server, "freeze")
        sides = [side(server)]
        many = [crowd for locks in LOCKS for crowd in crowds(server, locks, FEWER, *CROWDS)]
        say(f"{MANY} more partitions")
        server.conn.execute("select app.ensure_partition((date '1980-01-01' + make_interval(months => n))::date)"
                            f" from generate_series(1, {MANY}) n")  # fmt: skip
        server.restart(max_locks_per_transaction=str(LOCKS[0]))
        sides.append(side(server))
        many += [crowd for locks in MANY_LOCKS for crowd in crowds(server, locks, FEWER)]
    found = capacity.Found(rounds, few, before, clean, after, again, freeze, standby, sides, many)
    return f"{machine.facts()}.\n\n{capacity.text(found)}", True
