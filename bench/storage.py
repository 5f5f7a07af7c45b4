"""How much disk does a call take? Bytes of its row with indexes and of write-ahead log, on every Postgres found here.

    python bench/storage.py [calls]

Calls of eight organizations go through open_calls and settle_calls as a gateway sends them, 2,000 of them under way at
any time, in batches of 16, and a twentieth as many in batches of 1. A checkpoint, after which Postgres logs full pages,
comes every 50,000 calls; at 1,000 calls a second and the default of five minutes it would be every 300,000. The servers
are deleted at the end.
"""

from __future__ import annotations

import random
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from fake_openai import CHAT_USAGE, EMBEDDING_USAGE, RESPONSE_USAGE
from people import People

from bench.rls import database
from webapp.postgres.cluster import Cluster, temporary
from webapp.postgres.programs import find_bindir, major

LOADS = ((1, True), (16, True), (16, False))  # batch, vacuumed
UNDER_WAY, CHECKPOINT, VACUUM = 2_000, 50_000, 20_000  # calls
ORGANIZATIONS = 8
# endpoint, share, model, OpenAI's usage, prefix of the answer's id
KINDS = (
    ("/v1/chat/completions", 65, "gpt-4o-mini", CHAT_USAGE, "chatcmpl-"),
    ("/v1/responses", 25, "gpt-4o", RESPONSE_USAGE, "resp_"),
    ("/v1/embeddings", 10, "text-embedding-3-small", EMBEDDING_USAGE, ""),
)
SIZES = """
with part as (select inhrelid as oid from pg_inherits where inhparent = 'public.usage_logs'::regclass)
select 'table' as what, sum(pg_table_size(oid)) as bytes from part
union all
select 'index ' || split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2), sum(pg_relation_size(i.indexrelid))
from part join pg_index i on i.indrelid = part.oid group by 1 having sum(pg_relation_size(i.indexrelid)) > 8192 * 100
"""
ROW = """
select percentile_disc(array[0.5, 0.9]) within group (order by pg_column_size(u.*)) as found from public.usage_logs u
"""
OBJECTS = """
select pg_total_relation_size('private.upstream_objects') as bytes, count(*) as rows from private.upstream_objects
"""
HOT = (
    "select sum(n_tup_hot_upd) as hot, sum(n_tup_upd) as all from pg_stat_user_tables where relname like 'usage_logs%'"
)
VACUUM_NOW = "vacuum (index_cleanup on, truncate off) public.usage_logs"


class Load:
    """Calls as gateways make them, a batch at a time."""

    def __init__(self, conn: psycopg.Connection, batch: int, vacuum: bool) -> None:
        self.conn, self.batch, self.vacuum = conn, batch, vacuum
        self.dice, self.people = random.Random(1), People(conn)
        self.names = [f"org{n}" for n in range(ORGANIZATIONS)]
        for name in self.names:
            self.people.found(name, name)
        self.waiting: list[dict[str, Any]] = []

    def run(self, calls: int) -> None:
        for done in range(0, calls, self.batch):
            opened = [self._open() for _ in range(self.batch)]
            self.people.open_calls(*(each["open"] for each in opened))
            self.waiting += opened
            if len(self.waiting) > UNDER_WAY:
                self._settle(self.batch)
            if done // CHECKPOINT != (done - self.batch) // CHECKPOINT:
                self.conn.execute("checkpoint")
            if self.vacuum and done // VACUUM != (done - self.batch) // VACUUM:
                self.conn.execute(VACUUM_NOW)
        while self.waiting:
            self._settle(self.batch)

    def _open(self) -> dict[str, Any]:
        dice = self.dice
        endpoint, _, model, usage, prefix = dice.choices(KINDS, [kind[1] for kind in KINDS])[0]
        name = dice.choice(self.names)
        user = str(uuid.UUID(int=dice.getrandbits(128))) if dice.random() < 0.5 else None
        tags = {"team": dice.choice(["search", "support"]), "env": "production"} if dice.random() < 0.5 else {}
        message = self.people.open_message(
            name, **self.people.now_id(), endpoint=endpoint, model=model, end_user=user, tags=tags
        )
        object_id = prefix + f"{dice.getrandbits(140):029x}" if prefix else None
        numbers = usage_of(usage, dice.randint(20, 6000), dice.randint(5, 1500))
        end = self.people.settle_message(name, message, usage=numbers, model=model, latency_ms=dice.randint(200, 9000))
        end |= {"account": str(self.people.orgs[name]), "makes": prefix == "resp_", "upstream_object_id": object_id,
                "upstream_request_id": f"req_{dice.getrandbits(128):032x}"}  # fmt: skip
        return {"open": message, "settle": end}

    def _settle(self, count: int) -> None:
        taken = []
        while self.waiting and len(taken) < count:  # in any order, as answers end
            at = self.dice.randrange(len(self.waiting))
            self.waiting[at], self.waiting[-1] = self.waiting[-1], self.waiting[at]
            taken.append(self.waiting.pop())
        self.people.settle_calls(*(each["settle"] for each in taken))


def usage_of(usage: dict[str, Any], tokens_in: int, tokens_out: int) -> dict[str, Any]:
    """A usage object with these numbers; every second call has half of its input cached."""
    out = tokens_out if len(usage) > 2 else 0
    known = {"prompt_tokens": tokens_in, "input_tokens": tokens_in, "completion_tokens": out, "output_tokens": out,
             "total_tokens": tokens_in + out}  # fmt: skip
    cached = {"cached_tokens": tokens_in // 2 * (tokens_in % 2)}
    return {
        name: known[name] if name in known else value | (cached if "cached_tokens" in value else {})
        for name, value in usage.items()
    }


def measure(cluster: Cluster, batch: int, calls: int, vacuum: bool) -> dict[str, Any]:
    """Run one load. Returns bytes per call of write-ahead log and of each table or index, and the size of one row."""
    _, admin = database(cluster)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        load = Load(conn, batch, vacuum)
        where = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as at"
        before = conn.execute(where).fetchone()["at"]
        load.run(calls)
        log = conn.execute(where).fetchone()["at"] - before
        conn.execute("reset role")
        conn.execute("select pg_stat_force_next_flush()")
        sizes = {row["what"]: float(row["bytes"]) / calls for row in conn.execute(SIZES).fetchall()}
        statuses = conn.execute("select distinct cost_status from public.usage_logs").fetchall()
        assert [row["cost_status"] for row in statuses] == ["priced"], statuses
        objects = conn.execute(OBJECTS).fetchone()
        return {"wal": float(log) / calls, "sizes": sizes, "row": conn.execute(ROW).fetchone()["found"],
                "object": objects["bytes"] / objects["rows"], "hot": conn.execute(HOT).fetchone()}  # fmt: skip


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    print(f"{calls:,} calls, priced, of eight organizations\n")
    for bindir in dict.fromkeys((find_bindir(), Path("/usr/lib/postgresql/15/bin"))):
        if not (bindir / "postgres").exists():
            continue
        for batch, vacuum in LOADS:
            settings = {"fsync": "on", "full_page_writes": "on", "autovacuum": "off", "max_wal_size": "16GB"}
            with temporary(bindir, **settings) as cluster:
                found = measure(cluster, batch, calls if batch > 1 else calls // 20, vacuum)
            print(f"Postgres {major(bindir)}, batches of {batch}, {'' if vacuum else 'not '}vacuumed")
            print(f"  write-ahead log     {found['wal']:8,.0f} bytes a call")
            print(
                f"  table and indexes   {sum(found['sizes'].values()):8,.0f} bytes a call; HOT updates: {found['hot']}"
            )
            for what, size in found["sizes"].items():
                print(f"    {size:8,.0f} {what}")
            print(
                f"  a row by itself     {found['row'][0]:8,} bytes (median), {found['row'][1]:,} (one in ten is larger)"
            )
            print(f"  a stored object     {found['object']:8,.0f} bytes\n", flush=True)


if __name__ == "__main__":
    main()
