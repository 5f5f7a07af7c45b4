"""`make prove-hostile`: strangers and customers attack what everybody shares; the others must be served.

Every class of attack is a function in one of the modules ``MODULES``, see frame.py. Prints a table (class, attempts,
held) and a sentence for every attempt that was not held; then the exit status is 1. Loopback only, about ten minutes;
``--quick`` takes a minute, with fewer connections. Names of classes as arguments: only these.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

import psycopg
from fake_upstream import FakeUpstream
from hostile.frame import ATTACKS, Result, Target

from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary

MODULES = ("loops", "slow", "crowd", "bodies", "answers", "growth", "sockets")
PASSWORD = "temporary"


def database(cluster: Cluster, name: str) -> tuple[str, str]:
    """A new database in Supabase's shape; the owner's and the superuser's connection string."""
    with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD, name)) as conn:
        for file in ("supabase.sql", "local_auth.sql"):
            conn.execute((ROOT / "db" / file).read_text())
        conn.execute(f"alter role postgres password '{PASSWORD}'")
        conn.execute(f"alter database {name} owner to postgres")
    return cluster.dsn("postgres", PASSWORD, name), cluster.dsn(SUPERUSER, PASSWORD, name)


def prove(names: list[str], *, quick: bool) -> dict[str, Result]:
    """Run the attacks of these names, all if there are none; their results by name."""
    for module in MODULES:
        import_module(f"hostile.{module}")
    with temporary(max_connections="200") as cluster, FakeUpstream() as upstream:
        target = Target(lambda name: database(cluster, name), upstream, quick=quick)
        with target.stack:
            return {name: ATTACKS[name](target) for name in names or ATTACKS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="classes of attacks, by default all")
    parser.add_argument("--quick", action="store_true", help="fewer connections and calls")
    given = parser.parse_args()
    results = prove(given.names, quick=given.quick)
    print(f"{'class':20}{'attempts':>10}{'held':>10}")
    for name, result in results.items():
        print(f"{name:20}{result.attempts:>10,}{result.held:>10,}")
    findings = [f"{name}: {finding}" for name, result in results.items() for finding in result.findings]
    print(*sorted(set(findings)), f"{len(findings)} findings", sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
