"""``flask backup`` and ``flask restore``: the restored SPENDAI_HOME has the same calls, people, keys and rights."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import click
import psycopg
import pytest
from commands import operator  # noqa: F401  # a fixture
from people import People
from processes import empty_folder
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from stack import SECRETS

from webapp import create_app, db
from webapp.commands import backup as commands_backup
from webapp.config import Config, load
from webapp.postgres import embedded
from webapp.postgres.migrations import migrate

NUMBERS = {
    "spend": "select * from public.spend_daily order by 1, 2",
    "calls": "select * from public.usage_logs order by id",
    "people": "select id, email, encrypted_password from auth.users order by id",
    "keys": "select * from public.api_keys order by id",
    "audit": "select * from public.audit_log order by id",
    "prices": "select count(*) from public.model_prices",
    "rights": "select c.relname, attname, attacl::text from pg_attribute a join pg_class c on c.oid = attrelid "
              "where relnamespace = 'public'::regnamespace and attacl is not null order by 1, 2",
    "database": "select unnest(datacl)::text from pg_database where datname = current_database() order by 1",
    "settings": "select setconfig::text from pg_db_role_setting order by 1",
    "tables": "select relname, relrowsecurity, unnest(coalesce(relacl, acldefault('r', relowner)))::text from pg_class "
              "where relkind in ('r', 'p', 'v') and relnamespace in ('public'::regnamespace, 'private'::regnamespace) "
              "order by 1, 3",
    "functions": "select proname, unnest(coalesce(proacl, acldefault('f', proowner)))::text from pg_proc "
                 "where pronamespace = 'app'::regnamespace order by 1, 2",
}  # fmt: skip


def numbers(config: Config) -> dict[str, list[tuple]]:
    server = embedded.ensure(config)
    try:
        with psycopg.connect(server.admin_dsn) as conn:
            return {name: conn.execute(query).fetchall() for name, query in NUMBERS.items()}
    finally:
        server.stop()


@pytest.fixture
def homes():
    with empty_folder() as old, empty_folder() as new:
        yield [load(SECRETS | {"SPENDAI_HOME": str(home)}) for home in (old, new)]


def nobody_else_reads_a_backup(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor while it is written; and of one that failed nothing is left."""
    folder, modes = config.home / "backups", []
    folder.mkdir()

    def fail(program: str, dsn: str, *words: object) -> None:
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir())
        raise click.ClickException("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(commands_backup, "_run", fail)
        done = create_app(config).test_cli_runner().invoke(args=["backup", str(folder / "spendai.dump")])
    assert done.exit_code == 1 and "No space left" in done.output
    assert modes == [0o600] and list(folder.iterdir()) == []
    done = create_app(config).test_cli_runner().invoke(args=["backup", str(folder / "missing" / "spendai.dump")])
    assert done.exit_code == 1 and "spendai.dump cannot be written: No such file or directory" in done.output
    drafts, target = [], folder / "spendai.dump"

    def meanwhile(program: str, dsn: str, *words: object) -> None:
        drafts.append(words[-1])
        if len(drafts) == 1:
            create_app(config).test_cli_runner().invoke(args=["backup", str(target)])

    with monkeypatch.context() as patch:
        patch.setattr(commands_backup, "_run", meanwhile)
        done = create_app(config).test_cli_runner().invoke(args=["backup", str(target)])
    assert done.exit_code == 0 and len(set(drafts)) == 2, "two at once do not write into each other's draft"
    assert list(folder.iterdir()) == [target]
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    done = create_app(config).test_cli_runner().invoke(args=["backup", str(pipe)])
    assert (done.exit_code, done.output) == (1, f"Error: {pipe} is no ordinary file\n")
    assert pipe.is_fifo(), "what is no file is not replaced by one"


def dump_of_ones_own(server: embedded.EmbeddedServer, file: Path) -> Path:
    """A dump of a database with another owner, as a Postgres of one's own has."""
    with psycopg.connect(server.admin_dsn, autocommit=True) as conn:
        conn.execute("create role own_spendai")
        conn.execute("create database own owner own_spendai")
    dsn = make_conninfo(server.admin_dsn, dbname="own")
    with psycopg.connect(dsn) as conn:
        conn.execute("create schema app authorization own_spendai")
    commands_backup._run("pg_dump", dsn, "--format=custom", "--file", file)
    return file


def test_a_new_home_filled_from_a_backup_has_the_same_numbers(homes, monkeypatch):
    old, new = homes
    server = embedded.ensure(old)
    try:
        migrate(server.owner_dsn, passwords=db.passwords(old))
        with psycopg.connect(server.admin_dsn, autocommit=True, row_factory=dict_row) as conn:
            conn.execute("set role postgres")
            people = People(conn)
            for _ in range(3):
                people.call("ada")
            # A right on one of Postgres' own functions that the next server lacks, as one of another version may.
            conn.execute("reset role; set allow_system_table_mods = on")
            conn.execute("create function pg_catalog.of_another_version() returns int language sql return 1")
            conn.execute("revoke execute on function pg_catalog.of_another_version from public")
        dump = old.home / "spendai.dump"
        done = create_app(old).test_cli_runner().invoke(args=["backup", str(dump)])
        assert done.exit_code == 0, done.output
        nobody_else_reads_a_backup(old, monkeypatch)
        own = dump_of_ones_own(server, old.home / "own.dump")
    finally:
        server.stop()
    shutil.copytree(old.home / "secrets", new.home / "secrets")
    run = create_app(new).test_cli_runner().invoke
    foreign = run(args=["restore", str(own)])
    assert foreign.exit_code == 1 and "is not of an embedded database: name an empty database" in foreign.output
    cut = old.home / "cut.dump"
    cut.write_bytes(dump.read_bytes()[:-1000])
    failed = run(args=["restore", str(cut)])
    assert failed.exit_code == 1 and "end of file" in failed.output
    folder = (new.home / "postgres").resolve()
    for command in (["doctor"], ["restore", str(dump)]):  # what is there may lack row security: nobody may use it
        refused = run(args=command)
        assert refused.exit_code == 1
        assert f"flask restore was cut off: delete {folder}, then run flask restore again" in refused.output
    shutil.rmtree(folder)
    done = run(args=["restore", str(dump)])
    assert done.exit_code == 0, done.output
    before, after = numbers(old), numbers(new)
    assert len(before["calls"]) == 3 and before["spend"]
    for name in NUMBERS:
        assert after[name] == before[name], name
    again = run(args=["restore", str(dump)])
    assert again.exit_code == 1 and "has data already" in again.output


def test_with_a_database_of_ones_own_the_provider_does_it(operator):  # noqa: F811
    done = operator.run("backup", "x.dump")
    assert done.exit_code == 1 and "pg_dump" in done.output
