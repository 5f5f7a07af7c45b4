"""`flask analyst`: its login works in psql, pandas and BI tools, on the embedded Postgres and on another one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas
import psycopg
import pytest
import sqlalchemy
from click.testing import Result
from processes import empty_folder
from psycopg.conninfo import conninfo_to_dict
from stack import SECRETS, free_port

from webapp import create_app
from webapp.config import Config, load
from webapp.postgres import embedded, network
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import find_bindir

PROJECTS = "select name from projects"
TWO_COMPANIES = """
with o as (insert into public.organizations (name) values ('Acme'), ('Evil') returning id, name)
insert into public.projects (org_id, name) select id, name || '''s project' from o
"""


def flask(config: Config, *arguments: str) -> Result:
    return create_app(config).test_cli_runner().invoke(args=["analyst", *arguments])


def ask(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return conn.execute(query).fetchall()


@pytest.fixture(scope="module")
def home() -> Iterator[Config]:
    """An embedded database with two companies, not running."""
    with empty_folder() as path:
        config = load(SECRETS | {"SPENDAI_HOME": str(path / "home")})
        server = embedded.ensure(config)
        migrate(server.owner_dsn)
        ask(server.owner_dsn, TWO_COMPANIES + " returning 1")
        server.stop()
        yield config


@pytest.fixture
def acme(home: Config) -> Iterator[str]:
    """A login of Acme, with the server listening."""
    added = flask(home, "add", "--org", "Acme", "--name", "Ann")
    assert added.exit_code == 0, added.output
    server = embedded.ensure(home)
    yield added.stdout.strip()
    assert flask(home, "remove", conninfo_to_dict(added.stdout.strip())["user"]).exit_code == 0
    server.stop()


def test_what_is_printed_is_a_connection_string_that_works(acme: str, home: Config) -> None:
    assert acme.startswith("postgresql://an_") and acme.split("@")[1].startswith("127.0.0.1:")
    assert ask(acme, PROJECTS) == [("Acme's project",)]
    login = conninfo_to_dict(acme)["user"]
    assert flask(home, "list").stdout.split("\t")[:3] == [login, "Acme", "Ann"]


def test_psql_reads_and_does_not_write(acme: str) -> None:
    psql = [find_bindir() / "psql", "-d", acme, "-Atc"]
    assert subprocess.run([*psql, PROJECTS], capture_output=True, text=True, check=True).stdout == "Acme's project\n"
    refused = subprocess.run([*psql, "update projects set name = 'x'"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "read-only" in refused.stderr


def test_pandas_reads_a_view_through_sqlalchemy(acme: str) -> None:
    engine = sqlalchemy.create_engine(acme.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as conn:
        assert pandas.read_sql("select * from projects", conn)["name"].tolist() == ["Acme's project"]
        assert list(pandas.read_sql("select day, project, cost from spend_by_project", conn)) == [
            "day",
            "project",
            "cost",
        ]
    engine.dispose()


def test_a_bi_tool_that_looks_around_finds_the_views_with_their_comments(acme: str) -> None:
    engine = sqlalchemy.create_engine(acme.replace("postgresql://", "postgresql+psycopg://"))
    look = sqlalchemy.inspect(engine)
    assert {"spend_daily", "spend_by_model", "calls"} <= set(look.get_view_names())
    assert all(column["comment"] for column in look.get_columns("spend_daily"))
    engine.dispose()


def test_over_the_network_nobody_but_analysts_gets_in(acme: str, home: Config) -> None:
    where = {key: value for key, value in conninfo_to_dict(acme).items() if key in ("host", "port", "dbname")}
    server = embedded.ensure(home)
    for own in (server.owner_dsn, server.admin_dsn):
        who = conninfo_to_dict(own)
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf"):
            psycopg.connect(**where, user=who["user"], password=who["password"])
    assert ask(server.owner_dsn, "show listen_addresses") == [("127.0.0.1",)]
    server.stop()


def test_a_running_install_has_to_be_started_again_once_and_closes_the_door_after_the_last(home: Config) -> None:
    server = embedded.ensure(home)
    added = flask(home, "add", "--org", "Acme", "--name", "Ann")
    assert "next start" in added.stderr
    assert "2 organizations share this database" in added.stderr and "superuser" not in added.stderr
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(added.stdout.strip())
    server.stop()
    server = embedded.ensure(home)
    assert ask(added.stdout.strip(), PROJECTS) == [("Acme's project",)]
    assert "next start" not in flask(home, "add", "--org", "Evil", "--name", "Eve").stderr
    for line in flask(home, "list").stdout.splitlines():
        assert flask(home, "remove", line.split("\t")[0]).exit_code == 0
    server.stop()
    server = embedded.ensure(home)
    assert ask(server.owner_dsn, "show listen_addresses") == [("",)]
    server.stop()


def test_a_port_that_is_taken_shuts_out_analysts_but_stops_nothing(
    home: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    place = (home.home / "postgres").resolve()
    network.let_analysts_in(place, True)
    with socket.create_server((network.ADDRESS, network.port(place))):
        server = embedded.ensure(home)
        assert ask(server.owner_dsn, "show listen_addresses") == [("",)]
        server.stop()
    assert f"another program uses port {network.port(place)}" in capsys.readouterr().err
    network.let_analysts_in(place, False)


def test_a_machine_without_ipv4_shuts_out_analysts_but_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = iter([20_001])  # a second choice would be made of any number, and none would ever do
    monkeypatch.setattr(network.secrets, "choice", lambda _: next(numbers))
    monkeypatch.setattr(network, "ADDRESS", "192.0.2.1")  # reserved for documentation, so no machine has it
    assert network.settings(tmp_path) == {"port": "20001", "listen_addresses": ""}
    assert capsys.readouterr().err == ""
    network.let_analysts_in(tmp_path, True)
    assert network.settings(tmp_path)["listen_addresses"] == ""
    assert "listen on 192.0.2.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("add", "--org", "Nobody", "--name", "Ann"), 1, "Error: no organization is called 'Nobody'\n"),
        (("add", "--org", "Acme", "--name", " "), 2, "Error: a name is needed\n"),
        (("remove", "postgres"), 1, "Error: no analyst logs in as 'postgres'\n"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    home: Config, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = flask(home, *arguments)
    assert (done.exit_code, done.stderr, done.stdout) == (status, message, "")
    assert not (home.home / "postgres/analysts").exists()


@pytest.mark.parametrize(
    ("database_url", "expected"),
    [
        (
            "postgresql://postgres.abcdef:secret@pooler.supabase.com:5432/postgres?sslmode=require",
            "postgresql://an_1.abcdef:pw@pooler.supabase.com:5432/postgres?sslmode=require",
        ),
        ("host=db.example user=owner dbname='my data'", "postgresql://an_1:pw@db.example:5432/my%20data"),
        ("postgresql://owner:secret@[::1]:5433/x", "postgresql://an_1:pw@[::1]:5433/x"),
    ],
)
def test_elsewhere_the_address_is_the_one_of_database_url(database_url: str, expected: str, tmp_path: Path) -> None:
    from webapp.commands.analyst import connection_url

    config = load(SECRETS | {"DATABASE_URL": database_url, "SPENDAI_HOME": str(tmp_path), "PORT": str(free_port())})
    assert connection_url(config, database_url, "an_1", "pw") == expected
