"""Where does the time of a call go? SpendAI beside programs that do a part of its work, and the peers.

One client makes one call after the other. floor.c proxies it: without a database; with two commits of one small row
(the least that any program needs that writes down a call before and after); with the rows of a ledger like ours, of
which nothing is computed (floor.sql); with the two functions of our ledger, on SpendAI's Postgres. The last one lacks
only the gateway in Python. least.py is SpendAI with a gateway that reads nothing of a call, in all but the second form.
All take turns, with fsync and without; then those in Python and Portkey with 64 connections.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import machine, tools
from bench.load import Burst, burst
from bench.procs import cpu_seconds, tree
from bench.settling import KEYS, message_pairs
from bench.spendai import SpendAI
from bench.systems import CHAT, Direct, LiteLLM, Nginx, Portkey, Process, System
from bench.tables import number, spread, table
from bench.versus import folder_of, say, upstream
from webapp import db
from webapp.config import ROOT
from webapp.postgres import embedded
from webapp.postgres.cluster import SUPERUSER
from webapp.secrets.provider_keys import fingerprint

ROUNDS, SECONDS = 5, 2
MARKS = ("%1$s", "%2$s")  # in the parameters: what floor.c replaces by the call's id and by the time
SMALL = {
    "open": """
        insert into bench.floor (id, body) select m.id, m.body from jsonb_to_record($1::jsonb) m (id uuid, body text)
    """,
    "settle": """
        update bench.floor f set body = m.body from jsonb_to_record($1::jsonb) m (id uuid, body text) where f.id = m.id
    """,
}
ROWS = {
    "open": "select * from bench.least_open($1::jsonb, null, null)",
    "settle": "select * from bench.least_settle($1::jsonb)",
}
TABLES = Path(__file__).with_name("floor.sql")


class Floor(Process):
    """floor.c. statements: the two prepared ones, or None; parameters: of each, with MARKS."""

    def __init__(
        self, name: str, port: int, folder: Path, dsn: str, statements: dict[str, str] | None, *parameters: Any
    ):
        super().__init__(port, folder)
        self.name, self.dsn, self.statements, self.parameters = name, dsn, statements, parameters

    def start(self) -> None:
        command = [str(tools.compiled("floor")), str(self.port), str(self.upstream)]
        passed: tuple[int, ...] = ()
        if self.statements:
            self.conn = psycopg.connect(self.dsn, autocommit=True)
            for name, query in self.statements.items():
                self.conn.pgconn.prepare(name.encode(), query.encode())
            passed = (self.conn.fileno(),)
            command.append(str(passed[0]))
            for n, parameter in enumerate(self.parameters):
                file = self.folder / f"parameter-{n}"
                file.write_text(
                    json.dumps(parameter).replace("%", "%%").replace("%%1$s", MARKS[0]).replace("%%2$s", MARKS[1])
                )
                command.append(str(file))
        self.run(command, passed=passed)

    def stop(self) -> None:
        super().stop()
        if self.statements:
            self.conn.close()

    def wait(self, seconds: float = 20) -> None:
        """Wait until it answers a call."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                assert b'"usage"' in self.call(CHAT)
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise tools.Missing(f"floor.c did not answer: {(self.folder / f'{self.name}.log').read_text()}")


class Least(Process):
    """gunicorn with least.py, beside the database of ``ours``. writes: what it writes down; see there."""

    path = SpendAI.path

    def __init__(self, name: str, ours: SpendAI, folder: Path, writes: str) -> None:
        super().__init__(ours.upstream, folder)
        self.name, self.headers, self.writes = name, ours.headers, writes
        self.environ = ours.product.environ

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "-c", str(ROOT / "gunicorn.conf.py")]
        command += ["-b", f"127.0.0.1:{self.port}", "bench.least:app"]
        self.run(command, **self.environ | {"PYTHONPATH": str(ROOT), "WRITES": self.writes})


def run(folder: Path) -> tuple[str, bool]:
    """The tables as Markdown, and whether every call succeeded."""
    with upstream(folder) as running, ExitStack() as stack:
        ours = stack.enter_context(SpendAI(running.port, folder_of(folder, "SpendAI")))
        systems: list[System] = [Direct(running.port, folder_of(folder, "direct"))]
        systems += [stack.enter_context(floor) for floor in floors(ours, running.port, folder)]
        leasts = [
            Least("Python, no database", ours, folder_of(folder, "python"), "nothing"),
            Least("Python, our rows, nothing computed", ours, folder_of(folder, "python rows"), "rows"),
            Least("Python, our two functions", ours, folder_of(folder, "python ledger"), "ledger"),
        ]
        systems += [stack.enter_context(least) for least in leasts]
        versions = {}
        for kind in (Nginx, LiteLLM, Portkey):
            peer = kind(running.port, folder_of(folder, kind.name))
            try:
                systems.append(stack.enter_context(peer))
                versions[peer.name] = peer.version.strip()
            except tools.Missing as error:
                say(f"{peer.name} is left out: {error}")
        systems.append(ours)
        taken = {durable: rounds(systems, running, ours, durable=durable) for durable in (True, False)}
        rows = [[name, *(spread(taken[durable][name]) for durable in (True, False))] for name in taken[True]]
        sizes = commit_ms(ours)
        several = [each for each in systems if isinstance(each, (Portkey, Least, SpendAI))]
        many = [together(kind, several, running, ours) for kind in ("JSON", "SSE")]
    head = ["one call after the other, p50 ms more than *direct*", "fsync", "without fsync"]
    words = f"One commit of one small row takes {number(sizes[0])} ms here, without fsync {number(sizes[1])} ms."
    facts = f"{machine.facts()}; {machine.versions(versions)}."
    return "\n\n".join([facts, table(head, rows), words, *many]), True


def floors(ours: SpendAI, port: int, folder: Path) -> Iterator[Floor]:
    """The C program in four forms."""
    config = ours.product.config
    with psycopg.connect(owner(ours), autocommit=True) as conn:
        conn.execute(TABLES.read_text())
        keys = conn.execute(KEYS).fetchall()
    small = {"id": MARKS[0], "body": "x" * 200}
    opens, settles = message_pairs(keys[:1], 1)
    for message in (*opens, *settles):
        message |= {"id": MARKS[0], "started_at": MARKS[1], "end_user": None, "tags": {}}
    settles[0] |= {"upstream": "openai", "account": "install"}
    key = fingerprint(config, config.openai_api_key).hex()
    ledger = {
        "open": f"select * from app.open_calls($1::jsonb, '{config.install_key}', '\\x{key}')",
        "settle": "select * from app.settle_calls($1::jsonb)",
    }
    yield Floor("C, no database", port, folder_of(folder, "plain"), "", None)
    yield Floor("C, two commits of a small row", port, folder_of(folder, "small"), owner(ours), SMALL, small, small)
    yield Floor("C, our rows, nothing computed", port, folder_of(folder, "least"), owner(ours), ROWS, opens, settles)
    proxy = db.dsn(config, "spendai_proxy")
    yield Floor("C, our two functions", port, folder_of(folder, "ledger"), proxy, ledger, opens, settles)


def rounds(systems: list[System], running: Any, ours: SpendAI, *, durable: bool) -> dict[str, list[float]]:
    """Name of each system → p50 of each round in ms, less that of the direct way in the same round."""
    with syncing(ours, durable=durable):
        p50: dict[str, list[float]] = {system.name: [] for system in systems}
        for n in range(ROUNDS):
            say(f"round {n + 1} of {ROUNDS}, fsync {'on' if durable else 'off'}")
            for system in systems if n % 2 else reversed(systems):
                done = burst(system, "JSON", 1, SECONDS, running)
                assert not done.bad, f"{system.name}: {done.bad} calls failed"
                p50[system.name].append(done.p50)
    direct = p50.pop("direct")
    return {name: [a - b for a, b in zip(values, direct, strict=True)] for name, values in p50.items()}


def together(kind: str, systems: list[System], running: Any, ours: SpendAI) -> str:
    """A table of the same with 64 connections: calls per second, and processor time of gateway and Postgres.

    kind: of the answers, JSON or SSE.
    """
    bursts: dict[str, list[Burst]] = {system.name: [] for system in systems}
    postgres: dict[str, list[float]] = {system.name: [] for system in systems}
    for n in range(ROUNDS):
        say(f"round {n + 1} of {ROUNDS}, 64 connections, {kind}")
        for system in systems if n % 2 else reversed(systems):
            servers = [pid for root in ours.product.postmasters() for pid in tree(root)]
            calls, used = running.posts("posts"), cpu_seconds(servers)
            done = burst(system, kind, 64, SECONDS, running)
            assert not done.bad, f"{system.name}: {done.bad} calls failed"
            used = (cpu_seconds(servers) - used) * 1000 / (running.posts("posts") - calls)
            bursts[system.name].append(done._replace(cpu=done.cpu - used) if system is ours else done)
            postgres[system.name].append(used)
    peer = bursts.get("Portkey")
    rows = [
        [
            name,
            spread([each.rate for each in done]),
            spread([each.rate / other.rate for each, other in zip(done, peer, strict=True)]) if peer else "–",
            spread([each.cpu for each in done]),
            "–" if name == "Portkey" else spread(postgres[name]),
        ]
        for name, done in bursts.items()
    ]
    head = [f"64 connections, {kind}", "calls/s", "× Portkey", "gateway, CPU s per 1,000", "Postgres, CPU s per 1,000"]
    return table(head, rows)


@contextmanager
def syncing(ours: SpendAI, *, durable: bool) -> Iterator[None]:
    """SpendAI's server with fsync as asked."""
    with psycopg.connect(owner(ours, SUPERUSER), autocommit=True) as conn:
        conn.execute(f"alter system set fsync = {'on' if durable else 'off'}")
        conn.execute("select pg_reload_conf()")
    yield


def commit_ms(ours: SpendAI) -> tuple[float, float]:
    """Median milliseconds of a commit of one small row, with fsync and without."""
    found = []
    for durable in (True, False):
        with syncing(ours, durable=durable), psycopg.connect(owner(ours), autocommit=True) as conn:
            conn.execute("create temp table took (ms double precision)")
            conn.execute(
                "do $$ declare began timestamptz; begin for n in 1 .. 500 loop began := clock_timestamp();"
                " insert into bench.floor (id, body) values (gen_random_uuid(), repeat('x', 200)); commit;"
                " insert into took values (extract(epoch from clock_timestamp() - began) * 1000); end loop; end $$"
            )
            values = [value for (value,) in conn.execute("select ms from took").fetchall()]
        found.append(statistics.median(values))
    return found[0], found[1]


def owner(ours: SpendAI, role: str = "postgres") -> str:
    """How to reach SpendAI's server as one of its administrators."""
    password = (ours.home / "secrets" / f"postgres-{role}").read_text().strip()
    return embedded.conninfo(ours.product.config, role, password)
