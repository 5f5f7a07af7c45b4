"""The embedded Postgres: made, shared, killed in several ways; its log never has a value of a query."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import psycopg
import pytest
from processes import empty_folder, processes_on, until

from webapp import create_app
from webapp.config import ROOT, Config, load
from webapp.postgres import embedded
from webapp.postgres.programs import ClusterError, account, copied, find_bindir, run_as, user_name

OPERATION = ROOT / "docs/operation.md"
HOLDER = """
import sys, time
from webapp.postgres import embedded
from webapp.config import load
server = embedded.ensure(load({"SPENDAI_HOME": sys.argv[1]}))
print("owned" if server.owned else "shared", flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with empty_folder() as path:
        yield path


@pytest.fixture
def fresh(folder: Path) -> Config:
    """A home in which nothing is yet."""
    return load({"SPENDAI_HOME": str(folder / "home")})


@pytest.fixture(scope="module")
def finished() -> Iterator[Path]:
    """A home whose database was made and stopped."""
    with empty_folder() as path:
        embedded.ensure(load({"SPENDAI_HOME": str(path / "home")})).stop()
        yield path / "home"


@pytest.fixture
def config(folder: Path, finished: Path) -> Config:
    """A home used before."""
    subprocess.run(["cp", "-a", finished, folder / "home"], check=True)  # keeps owners, as copytree does not
    return load({"SPENDAI_HOME": str(folder / "home")})


@pytest.fixture
def server(config: Config) -> Iterator[embedded.EmbeddedServer]:
    started = embedded.ensure(config)
    yield started
    started.stop()


def one(dsn: str, query: str) -> tuple:
    with psycopg.connect(dsn) as conn:
        return conn.execute(query).fetchone()


def data_of(config: Config) -> Path:
    return next((config.home / "postgres").resolve().glob("pg[0-9]*"))


def postmaster(config: Config) -> int:
    return int((data_of(config) / "postmaster.pid").read_text().split()[0])


def holder(config: Config) -> subprocess.Popen[str]:
    """Another launcher, which has its server (or shares one) when this returns."""
    command = [sys.executable, "-c", HOLDER, str(config.home)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    process.said = process.stdout.readline().strip()
    return process


def test_the_owner_of_the_database_is_no_superuser(server: embedded.EmbeddedServer) -> None:
    roles = "select rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user"
    assert one(server.owner_dsn, roles) == (False, True, True)
    assert one(server.owner_dsn, "select pg_get_userbyid(datdba) from pg_database where datname = 'postgres'") == (
        "postgres",
    )
    assert one(server.admin_dsn, "select rolsuper from pg_roles where rolname = current_user") == (True,)


def test_letters_beyond_ascii_and_times_are_handled_the_same_everywhere(server: embedded.EmbeddedServer) -> None:
    assert one(server.owner_dsn, "select lower('ÉÀ'), current_setting('TimeZone')") == ("éà", "UTC")


def test_nobody_gets_in_without_a_password_or_over_the_network(server: embedded.EmbeddedServer, config: Config) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=server.host, port=server.port, user="postgres", dbname="postgres", passfile="/dev/null")
    assert one(server.admin_dsn, "show listen_addresses") == ("",)
    assert stat.S_IMODE(Path(server.host).stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (config.home / "secrets").iterdir()}
    assert modes == {0o600}


def test_what_analysts_could_do_to_the_server_is_limited_from_the_first_start_on(
    server: embedded.EmbeddedServer,
) -> None:
    with psycopg.connect(server.owner_dsn) as conn:
        assert embedded.limits(conn) == []
    assert one(server.owner_dsn, "show max_locks_per_transaction") == ("256",)
    with psycopg.connect(server.owner_dsn) as conn:
        if conn.info.server_version >= 170000:
            assert conn.execute("show max_notify_queue_pages").fetchone() == ("16384",)


def test_workers_connect_with_what_conninfo_gives_them(server: embedded.EmbeddedServer, config: Config) -> None:
    with psycopg.connect(server.owner_dsn) as conn:
        conn.execute("create role visitor login password 'secret'")
    assert one(embedded.conninfo(config, "visitor", "secret"), "select current_user") == ("visitor",)


def test_a_path_with_a_space_and_one_too_long_for_a_socket_work(folder: Path) -> None:
    for name in ("with space", "x" * 100):
        config = load({"SPENDAI_HOME": str(folder / name)})
        server = embedded.ensure(config)
        try:
            assert one(server.owner_dsn, "select 1") == (1,)
            assert stat.S_IMODE(Path(server.host).stat().st_mode) == 0o700
        finally:
            server.stop()
            if folder not in Path(server.host).parents:
                shutil.rmtree(server.host)


def test_a_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    config = load({"SPENDAI_HOME": str(folder / ("y" * 100))})
    foreign = embedded.socket_dir(config.home / "postgres")
    foreign.mkdir(mode=0o755)
    foreign.chmod(0o755)
    try:
        with pytest.raises(ClusterError, match="not a private folder"):
            embedded.ensure(config)
    finally:
        foreign.rmdir()


def test_only_a_wrong_password_is_blamed_on_the_secrets(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say, makes Postgres refuse connections too: whoever doubted the secrets then would look in vain."""
    (config.home / "secrets/postgres-supabase_admin").write_text("another")
    with pytest.raises(ClusterError, match=r"secrets does not fit the database: .*password authentication failed"):
        embedded.ensure(config)
    full = psycopg.OperationalError("FATAL:  could not write init file: No space left on device")
    monkeypatch.setattr(psycopg, "connect", Mock(side_effect=full))
    with pytest.raises(ClusterError, match=r"^FATAL:  could not write init file: No space left on device$"):
        embedded.ensure(config)


def test_the_data_is_not_lost_with_the_secrets(config: Config) -> None:
    """As docs/operation.md says it."""
    shutil.rmtree(config.home / "secrets")
    with pytest.raises(ClusterError, match="secrets does not fit the database"):
        embedded.ensure(config)
    (command,) = re.findall(r'^echo "(alter .*)\$\(cat var/(.*)\)\'" [|]$', OPERATION.read_text(), re.MULTILINE)
    statement = f"{command[0]}{(config.home / command[1]).read_text().strip()}'\n"
    data = data_of(config)
    single = [find_bindir() / "postgres", "--single", "-D", data, "postgres"]
    options = {name: value for name, value in run_as(account(data)).items() if name != "stdin"}
    subprocess.run(single, input=statement.encode(), check=True, capture_output=True, **options)
    server = embedded.ensure(config)
    assert one(server.owner_dsn, "select current_user") == ("postgres",)
    server.stop()


def test_committed_rows_survive_kill_9_of_the_postmaster(config: Config) -> None:
    server = embedded.ensure(config)
    with psycopg.connect(server.owner_dsn) as conn:
        conn.execute("create table kept as select 1 as n")
    busy = psycopg.connect(server.owner_dsn)
    busy.pgconn.send_query(b"select pg_sleep(600)")  # a backend that outlives its postmaster
    os.kill(postmaster(config), signal.SIGKILL)
    until(lambda: not server.alive(), "the death is noticed")
    server.stop()
    again = embedded.ensure(config)
    assert one(again.owner_dsn, "select n from kept") == (1,)
    again.stop()


def test_kill_9_of_a_backend_leaves_a_server_that_answers(server: embedded.EmbeddedServer) -> None:
    with psycopg.connect(server.owner_dsn, autocommit=True) as conn:
        os.kill(conn.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("select 1")

    def answers() -> bool:
        try:
            return one(server.owner_dsn, "select 1") == (1,)
        except psycopg.OperationalError:
            return False

    until(answers, "connections after the crash")


@pytest.mark.parametrize("whose", ["a zombie", "another program"])
def test_a_pid_file_left_by_a_crash_is_not_believed(config: Config, whose: str) -> None:
    embedded.ensure(config).stop()
    command = ["true"] if whose == "a zombie" else ["sleep", "600"]
    other = subprocess.Popen(
        command, **run_as(account())
    )  # the server's own user: it cannot tell such a one from itself
    if whose == "a zombie":
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has asked how
    data = data_of(config)
    (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1700000000\n5432\n/nowhere\n\n  1 1\nready   \n")
    server = embedded.ensure(config)
    assert one(server.owner_dsn, "select 1") == (1,)
    server.stop()
    other.kill()
    other.wait()


def test_a_second_launcher_shares_the_server_and_takes_over_when_the_first_is_killed(config: Config) -> None:
    first = holder(config)
    second = embedded.ensure(config)
    assert (first.said, second.owned) == ("owned", False)
    with psycopg.connect(second.owner_dsn) as conn:
        conn.execute("create table kept as select 1 as n")
    assert second.alive()
    first.kill()
    first.wait()
    until(lambda: not second.alive(), "the first launcher's death is noticed")
    second.stop()
    heir = embedded.ensure(config)
    assert heir.owned
    assert one(heir.owner_dsn, "select n from kept") == (1,)
    heir.stop()


def test_who_has_other_secrets_than_the_server_that_runs_is_told_and_does_not_wait(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after docs/operation.md's "delete secrets/postgres-postgres and restart", in the time before the restart."""
    server = holder(config)
    (config.home / "secrets/postgres-postgres").unlink()
    monkeypatch.setattr(embedded, "STARTING_SECONDS", 0.0)
    with pytest.raises(ClusterError, match=r"does not fit the database, which runs: .* restart SpendAI"):
        embedded.ensure(config)
    server.kill()
    server.wait()
    embedded.ensure(config).stop()


def test_two_launchers_that_start_at_once_make_one_database(fresh: Config) -> None:
    command = [sys.executable, "-c", HOLDER, str(fresh.home)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.stdout.readline().strip() for process in both) == ["owned", "shared"]
    for process in both:
        process.kill()
        process.wait()
    until(lambda: not processes_on(data_of(fresh)), "the server ends")


def test_a_dead_launcher_takes_its_server_with_it(config: Config) -> None:
    launcher = holder(config)
    data = data_of(config)
    assert processes_on(data)
    launcher.kill()
    launcher.wait()
    until(lambda: not processes_on(data), "the server ends")
    assert "database system is shut down" in (config.home / "log/postgres.log").read_text()


def test_an_interrupted_creation_leaves_nothing_in_the_way(fresh: Config) -> None:
    (fresh.home / "postgres/pg18.new/base").mkdir(parents=True)
    (fresh.home / "postgres/pg18.new/PG_VERSION").write_text("18")
    server = embedded.ensure(fresh)
    assert one(server.owner_dsn, "select 1") == (1,)
    server.stop()


def test_no_value_of_a_query_reaches_the_log(server: embedded.EmbeddedServer, config: Config) -> None:
    with psycopg.connect(server.owner_dsn, autocommit=True) as conn:
        conn.execute("create table t (key text primary key check (key <> 'sk-secret-1'))")
        for query, value in (
            ("select %s::uuid", "sk-secret-0"),
            ("insert into t values (%s)", "sk-secret-1"),
            ("insert into t values (%s), ('sk-secret-2')", "sk-secret-2"),
            ("do $$ begin raise warning 'sk-secret-3'; raise exception 'sk-secret-4'; end $$", None),
            ("selekt 'sk-secret-5'", None),
        ):
            with pytest.raises(psycopg.Error):
                conn.execute(query, [value] if value else None)
    assert "sk-secret" not in (config.home / "log/postgres.log").read_text()


def test_the_log_stays_bounded(server: embedded.EmbeddedServer, config: Config) -> None:
    log = config.home / "log/postgres.log"
    with log.open("ab") as file:
        file.write(b"x" * 10_000_001)
    assert server.alive()
    assert log.stat().st_size < 1000
    assert (config.home / "log/postgres.log.1").stat().st_size > 10_000_000


def test_a_home_and_programs_closed_to_postgres_user_still_work(
    fresh: Config, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, both go where that user may enter; an ordinary user can always enter its own folder."""
    monkeypatch.setenv("PG_BINDIR", str(copied(find_bindir(), folder)))
    folder.chmod(0o700)
    server = embedded.ensure(fresh)
    place = (fresh.home / "postgres").resolve()
    try:
        assert one(server.owner_dsn, "select 1") == (1,)
        moved = os.geteuid() == 0
        assert (fresh.home not in place.parents, any(place.glob("programs-*"))) == (moved, moved)
    finally:
        server.stop()
        shutil.rmtree(place)


def test_data_of_another_major_version_is_named_and_left_alone(fresh: Config) -> None:
    (fresh.home / "postgres/pg9").mkdir(parents=True)
    with pytest.raises(ClusterError, match=r"holds data of pg9 .* dump it"):
        embedded.ensure(fresh)
    assert [path.name for path in (fresh.home / "postgres").glob("pg*")] == ["pg9"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("owner", [0, 54321])
def test_data_whose_owner_was_lost_in_copying_is_named_with_the_command_that_mends_it(
    config: Config, owner: int
) -> None:
    data = next((config.home / "postgres").glob("pg*"))
    subprocess.run(["chown", "-R", str(owner), data.parent], check=True)
    said = create_app(config).test_cli_runner().invoke(args=["doctor"])
    assert said.exit_code == 1 and "its owner was lost" in said.output, said.output
    assert f"{data} belongs to {user_name(owner)} and Postgres runs as {account().pw_name}" in said.output
    subprocess.run(said.output.strip().rpartition("; ")[2].split(), check=True)
    embedded.ensure(config).stop()


def test_lost_secrets_are_reported_and_nothing_is_changed(config: Config) -> None:
    embedded.ensure(config).stop()
    (config.home / "secrets/postgres-supabase_admin").write_text("another password")
    with pytest.raises(ClusterError, match="secrets does not fit"):
        embedded.ensure(config)
    assert not processes_on(data_of(config))


def test_an_error_while_roles_are_made_is_not_blamed_on_the_secrets(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = tmp_path / "failing.sql"
    failing.write_text("do $$ begin raise sqlstate '53100' using message = 'No space left on device'; end $$")
    monkeypatch.setattr(embedded, "SHIM", [failing])
    with pytest.raises(ClusterError, match=r"failing\.sql: No space left on device") as said:
        embedded.ensure(config)
    assert "secrets" not in str(said.value)
