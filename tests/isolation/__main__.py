"""Runs the proof on a server of every Postgres found here and on a replica of it; exit status 1 for a surprise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
from replicas import standby_of

from isolation.matrix import DOCUMENT, Matrix, read
from isolation.prove import Proof, prove
from isolation.trespass import trespass
from isolation.world import World, elsewhere, world
from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.programs import find_bindir, major

PASSWORD = "temporary"


def lines(proof: Proof, world: World) -> Iterator[str]:
    """The observed matrix: who read what, and how many functions, schemas and writes were open to them."""
    names = [actor.name for actor in world.actors]
    width = max(len(name) for name, _ in proof.seen)
    short = {"own and list": "own+", "no rows": "none", "FOREIGN": "!!!"}
    yield " " * width + "".join(f"{name:>8}" for name in names)
    closed = 0
    for relation in dict.fromkeys(name for name, _ in proof.seen):
        cells = [proof.seen[relation, name] for name in names]
        if set(cells) == {"–"}:
            closed += 1
            continue
        yield f"{relation:{width}}" + "".join(f"{short.get(cell, cell):>8}" for cell in cells)
    yield f"{f'{closed} other tables':{width}}" + "".join(f"{'–':>8}" for _ in names)
    for verb in ("function", "schema", "insert", "update", "delete", "truncate", "make"):
        label = {"function": "functions to run", "schema": "schemas to use"}.get(verb, f"ways to {verb}")
        yield f"{label:{width}}" + "".join(f"{proof.can[verb, name] or '–':>8}" for name in names)


def on_a_replica(primary: Cluster, everyone: World, matrix: Matrix) -> Proof:
    """What everyone can do on a streaming replica."""
    with standby_of(primary) as standby:
        standby.catch_up()
        with elsewhere(everyone, str(standby.server.socket)) as there:
            return prove(there, matrix)


def main() -> int:
    """Number of servers with surprises, as an exit status."""
    failed = 0
    matrix = read(DOCUMENT.read_text())
    for bindir in sorted({find_bindir(), *Path("/usr/lib/postgresql").glob("*/bin")}, key=major):
        with temporary(bindir) as cluster:
            with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD)) as conn:
                for file in ("supabase.sql", "local_auth.sql"):
                    conn.execute((ROOT / "db" / file).read_text())
                conn.execute(f"alter role postgres password '{PASSWORD}'")
            with world(cluster.dsn("postgres", PASSWORD), cluster.dsn(SUPERUSER, PASSWORD)) as everyone:
                proof = prove(everyone, matrix)
                calls, leaks = trespass(everyone)
                surprises = proof.surprises + leaks
                print(f"Postgres {major(bindir)}", *lines(proof, everyone), *surprises, sep="\n")
                print(f"{proof.checks} attempts and {calls} calls with foreign ids, {len(surprises)} surprises")
                copied = on_a_replica(cluster, everyone, matrix)
                print(*copied.surprises, f"{copied.checks} attempts on a replica", sep="\n", end=", ")
                print(f"{len(copied.surprises)} surprises\n")
                failed += bool(surprises or copied.surprises)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
