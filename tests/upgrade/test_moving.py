"""`flask restore` into a database of one's own, a Supabase project, a new SPENDAI_HOME: the same sums, people, keys."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from click.testing import Result
from dumps import NUMBERS, said, same, unpack
from stack import SECRETS
from supabase_shape import supabase_database
from test_supabase_shape import rights

from webapp import create_app
from webapp.config import load
from webapp.postgres import embedded
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import find_bindir


class Target(NamedTuple):
    """An empty database: connection strings of its owner and of a superuser, and the backup to put there.

    fresh: connection string of another database there, which is migrated and has no backup.
    """

    owner: str
    admin: str
    fresh: str
    number: str
    dump: Path

    def restore(self, home: Path, dump: Path | None = None) -> Result:
        config = load(SECRETS | {"DATABASE_URL": self.owner, "SPENDAI_HOME": str(home)})
        return create_app(config).test_cli_runner().invoke(args=["restore", str(dump or self.dump)])


@pytest.fixture(scope="module", params=["own", "supabase"])
def target(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A Postgres as a hosting company hands it over gets the oldest backup, a Supabase project's the newest."""
    folder = tmp_path_factory.mktemp("dump")
    if request.param == "supabase":
        fresh, _ = supabase_database(cluster, "spendai_not_moved")
        migrate(fresh)
        yield Target(*supabase_database(cluster, "spendai_moved"), fresh, NUMBERS[-1], unpack(NUMBERS[-1], folder))
        return
    bindir = os.environ.get("PG_BINDIR")
    with temporary(Path(bindir) if bindir else None) as server:
        with psycopg.connect(server.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create role shop login createrole password 'shop'")
            for name in ("shop", "fresh"):
                conn.execute(f"create database {name} owner shop")
        owner, fresh = server.dsn("shop", "shop", "shop"), server.dsn("shop", "shop", "fresh")
        migrate(fresh)
        admin = server.dsn(SUPERUSER, "temporary", "shop")
        yield Target(owner, admin, fresh, NUMBERS[0], unpack(NUMBERS[0], folder))


def test_a_backup_moves_there_whole_or_not_at_all(target: Target, tmp_path: Path) -> None:
    with psycopg.connect(target.admin, autocommit=True) as conn:
        conn.execute("create table public.theirs as select 1 as n")
        whole, number = target.dump.read_bytes(), target.number.encode()
        newer = whole.replace(b"db/migrations/" + number, b"db/migrations/99" + number[2:])
        for content, words in ((whole[:-5000], "end of file"), (newer, "newer"), (b"", "too short"), (b"x" * 9999, "")):
            (tmp_path / "bad.dump").write_bytes(content)
            failed = target.restore(tmp_path, tmp_path / "bad.dump")
            assert failed.exit_code == 1 and isinstance(failed.exception, SystemExit), failed.output
            assert words in failed.output and len(failed.output.splitlines()) == 1, failed.output
            assert conn.execute("select count(*) from public.usage_logs").fetchone() == (0,)

        done = target.restore(tmp_path)
        assert done.exit_code == 0, done.output
        same(conn, target.number)
        assert conn.execute("select n from public.theirs").fetchone() == (1,)
        conn.execute("drop table public.theirs")
        ours, theirs = rights(target.fresh), rights(target.owner)
        assert len(ours) > 100 and theirs == ours

    again = target.restore(tmp_path)
    assert again.exit_code == 1 and "has data already" in again.output
    assert len(said(target.number)["people"]) == 3


def test_a_dump_of_that_database_is_restored_the_same_way(target: Target, tmp_path: Path) -> None:
    dump = tmp_path / "own.dump"
    command = [find_bindir() / "pg_dump", "--format=custom", "--file", dump, "--dbname", target.admin]
    subprocess.run(command, check=True)
    done = target._replace(owner=target.fresh).restore(tmp_path, dump)
    assert done.exit_code == 0, done.output
    with psycopg.connect(target.fresh) as conn:
        same(conn, target.number)


def test_the_oldest_backup_fills_a_new_home(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # the user Postgres runs as may enter it
        config = load(SECRETS | {"SPENDAI_HOME": home})
        done = create_app(config).test_cli_runner().invoke(args=["restore", str(unpack(NUMBERS[0], tmp_path))])
        assert done.exit_code == 0, done.output
        server = embedded.ensure(config)
        try:
            with psycopg.connect(server.admin_dsn) as conn:
                same(conn, NUMBERS[0])
        finally:
            server.stop()
