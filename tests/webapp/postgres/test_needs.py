"""A database that SpendAI cannot use is refused in one sentence, which says what to do; other defaults are good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import psycopg
import pytest
from click.testing import Result
from stack import SECRETS

from webapp import create_app, db
from webapp.config import load
from webapp.postgres import needs
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import MigrationError, migrate

SHOP, GUEST = "spendai_shop", "spendai_shop_guest"


@pytest.fixture(scope="module")
def admin(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """A superuser, and two roles as administrators make them: an owner of databases, and one without rights."""
    with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
        conn.execute(f"create role {SHOP} login createrole password 'shop'")
        conn.execute(f"create role {GUEST} login password 'shop'")
        yield conn
        conn.execute(f"drop role {SHOP}, {GUEST}")


@pytest.fixture
def brought(admin: psycopg.Connection, cluster: Cluster) -> Iterator[str]:
    """Connection string of a database's owner."""
    admin.execute(f"create database {SHOP} owner {SHOP} template template0")
    yield cluster.dsn(SHOP, "shop", SHOP)
    admin.execute(f"drop database {SHOP} with (force)")


def flask(dsn: str, home: object, *words: str) -> Result:
    config = load(SECRETS | {"DATABASE_URL": dsn, "SPENDAI_HOME": str(home)})
    return create_app(config).test_cli_runner().invoke(args=list(words))


def refused(dsn: str, home: object) -> str:
    """What `flask migrate` says, in one line, before it changes anything; `flask doctor` says it too."""
    done = flask(dsn, home, "migrate")
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit) and done.output.count("\n") == 1, done.output
    assert flask(dsn, home, "migrate", "--check").output == done.output
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select to_regclass('private.schema_files')").fetchone() == (None,)
    return done.output.removeprefix("Error: ").strip()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding(admin: psycopg.Connection, brought: str, tmp_path: object, encoding: str) -> None:
    admin.execute(f"drop database {SHOP}")
    admin.execute(f"create database {SHOP} owner {SHOP} template template0 locale_provider libc locale 'C'"
                  f" encoding '{encoding}'")  # fmt: skip
    said = refused(brought, tmp_path)
    assert said.startswith(f"the encoding of database {SHOP} is {encoding}, and SpendAI needs UTF8: make another")
    assert flask(brought, tmp_path, "doctor").output.splitlines()[-1] == f"fail  {said}"


@pytest.mark.parametrize(("setting", "value"), [
    ("standard_conforming_strings", "off"), ("IntervalStyle", "iso_8601"), ("row_security", "off"),
    ("default_transaction_isolation", "serializable"), ("default_transaction_read_only", "on"),
    ("array_nulls", "off"), ("quote_all_identifiers", "on"),
])  # fmt: skip
def test_defaults_that_change_what_our_sessions_do(
    admin: psycopg.Connection, brought: str, tmp_path: object, setting: str, value: str
) -> None:
    """Running what the message says makes the database good."""
    assert setting in needs.SETTINGS
    for whose in (f'database "{SHOP}"', f'role "{SHOP}" in database "{SHOP}"'):
        admin.execute(f"alter {whose} set {setting} = '{value}'")
        said = refused(brought, tmp_path)
        assert said.startswith(f"{setting} is {value} for role {SHOP}")
        said, _, mend = said.partition(": ")
        assert f"alter {whose} set " in mend
        with psycopg.connect(brought, autocommit=True) as owner:  # who reads the message has the wrong default too
            owner.execute(mend)
        with psycopg.connect(brought) as conn:
            assert needs.owner_unmet(conn) == []


def test_an_owner_without_rights(admin: psycopg.Connection, brought: str, cluster: Cluster, tmp_path: object) -> None:
    said = refused(cluster.dsn(GUEST, "shop", SHOP), tmp_path)
    assert said.split("; ") == [
        f"role {GUEST} may not make schemas in database {SHOP}: log in as the database's owner",
        f'role {GUEST} may not make the login roles of gateways: alter role "{GUEST}" createrole',
    ]


def test_an_old_server() -> None:
    old = SimpleNamespace(info=SimpleNamespace(server_version=140010))
    assert needs.owner_unmet(old) == ["Postgres 14: SpendAI needs version 15 to 18"]


def test_a_standby(cluster: Cluster) -> None:
    with temporary(cluster.bindir) as server:
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        with pytest.raises(MigrationError, match="a standby, which takes no writes: give DATABASE_URL the address"):
            migrate(server.dsn(SUPERUSER, "temporary"))


def test_a_role_of_the_gateways_with_other_defaults(own_dsns: tuple[str, str], tmp_path: object) -> None:
    owner, admin = own_dsns
    config = load(SECRETS | {"DATABASE_URL": owner, "SPENDAI_HOME": str(tmp_path)})
    migrate(owner, passwords=db.passwords(config))
    with psycopg.connect(admin, autocommit=True) as conn:
        name = conn.info.dbname
        conn.execute(f"alter role spendai_proxy in database {name} set row_security = off")
    lines = flask(owner, tmp_path, "doctor").output.splitlines()
    assert [line for line in lines if line.startswith("fail")] == [
        "fail  row_security is off for role spendai_proxy, and SpendAI needs on: "
        f'alter role "spendai_proxy" in database "{name}" set row_security = \'on\''
    ]


def test_time_zone_date_style_and_encoding_of_our_sessions_are_our_own(own_dsns: tuple[str, str]) -> None:
    owner, admin = own_dsns
    with psycopg.connect(admin, autocommit=True) as conn:
        for setting in ("timezone = 'Asia/Kolkata'", "datestyle = 'SQL, DMY'", "client_encoding = 'SQL_ASCII'"):
            conn.execute(f"alter database {conn.info.dbname} set {setting}")
    with psycopg.connect(owner) as conn:
        at = datetime(2026, 11, 30, 23, tzinfo=UTC)
        assert conn.execute("select %s, %s::text, 'é'", [at, at]).fetchone() == (at, "2026-11-30 23:00:00+00", "é")
        assert conn.execute("select '2026-11-30 23:00:00Z'::timestamptz::date::text").fetchone() == ("2026-11-30",)
