"""`make run`: started twice, stopped, refused, its parts killed; and what it prints."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from processes import Launcher, children, empty_folder, healthy, living, until
from stack import free_port

from webapp.config import load
from webapp.launch.supervised import Part
from webapp.postgres import embedded
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with empty_folder("spendai test ") as path:
        yield path


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Launcher]:
    """One launcher for all tests that leave it running."""
    launcher = Launcher(folder / "home", free_port())
    launcher.greeting = launcher.welcome()
    yield launcher
    assert launcher.stop() == 0


@pytest.fixture
def product(shared: Launcher) -> Launcher:
    until(lambda: healthy(shared.port), "it answers")
    return shared


def start(folder: Path, **settings: str) -> Launcher:
    """A launcher on the same home, another port."""
    return Launcher(folder / "home", free_port(), **settings)


def test_a_start_ends_with_the_url_and_a_call_to_copy(product: Launcher) -> None:
    url = f"http://127.0.0.1:{product.port}"
    assert f"SpendAI runs at {url}\n" in product.greeting
    assert f"curl {url}/api/v1/proxy/chat/completions" in product.greeting
    assert "Authorization: Bearer sk-spend-…" in product.greeting
    assert "sandbox" in product.greeting


def test_a_second_start_says_where_it_runs_and_leaves_it_alone(product: Launcher) -> None:
    status, out = Launcher(product.home, product.port).end()
    assert (status, out) == (0, f"SpendAI is already running at http://127.0.0.1:{product.port}\n")
    assert healthy(product.port)


def test_a_killed_postmaster_is_started_again_with_one_line(product: Launcher) -> None:
    before, said = product.child("postgres"), len(product.said)
    os.kill(before, signal.SIGKILL)
    until(lambda: children(product.process.pid, "postgres") not in ([before], []), "another postmaster")
    dsn = embedded.conninfo(load({"SPENDAI_HOME": str(product.home)}), "postgres", "wrong")

    def answers() -> bool:
        try:
            psycopg.connect(dsn)
        except psycopg.OperationalError as error:
            return "password authentication failed" in str(error)

    until(answers, "it takes connections")
    lines = [line for line in product.said[said:] if line.startswith("spendai:")]
    assert lines == ["spendai: Postgres ended; starting it again"]


def test_a_killed_gunicorn_master_is_started_again_with_one_line(product: Launcher) -> None:
    before, said = product.child("gunicorn"), len(product.said)
    workers = children(before)
    os.kill(before, signal.SIGKILL)
    until(lambda: children(product.process.pid, "gunicorn") not in ([before], []), "another master")
    until(lambda: healthy(product.port), "it answers")
    until(lambda: not living(workers), "the old workers are gone")
    lines = [line for line in product.said[said:] if line.startswith("spendai:")]
    assert lines == ["spendai: the gateway ended; starting it again"]


def test_a_killed_worker_is_replaced(product: Launcher) -> None:
    master = product.child("gunicorn")
    until(lambda: len(children(master)) == 1, "its worker")
    (before,) = children(master)
    os.kill(before, signal.SIGKILL)
    until(lambda: children(master) not in ([before], []), "another worker")
    until(lambda: healthy(product.port), "it answers")


def test_a_second_port_shares_the_database_and_takes_it_over_when_the_first_is_killed(folder: Path) -> None:
    home = folder / "killed"
    first = Launcher(home, free_port())
    first.welcome()
    second = Launcher(home, free_port())
    second.welcome()
    assert (len(children(first.process.pid, "postgres")), children(second.process.pid, "postgres")) == (1, [])
    first.process.kill()
    first.end()
    second.child("postgres")
    assert healthy(second.port)
    until(lambda: not healthy(first.port), "the first gateway is gone")
    assert second.stop() == 0


def test_a_killed_launcher_takes_everything_with_it_and_can_be_started_again(folder: Path) -> None:
    launcher = Launcher(folder / "killed", free_port())
    launcher.welcome()
    left = [*children(launcher.process.pid), *children(launcher.child("gunicorn"))]
    launcher.process.kill()
    launcher.end()
    again = Launcher(launcher.home, launcher.port)  # at once: it waits for what is still ending
    again.welcome()
    assert healthy(again.port)
    until(lambda: not living(left), "the old processes are gone")
    assert again.stop() == 0


def test_ctrl_c_leaves_no_process_even_with_a_browser_connected(folder: Path) -> None:
    launcher = start(folder)
    launcher.welcome()
    processes = [*children(launcher.process.pid), *children(launcher.child("gunicorn"))]
    with socket.create_connection(("127.0.0.1", launcher.port)) as browser:
        browser.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert browser.recv(12) == b"HTTP/1.1 200"
        assert launcher.stop() == 0
    assert not living(processes)


def half_a_request(port: int) -> socket.socket:
    """A connection that waits for the rest of its request's body: 99 bytes."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    client.sendall(head + b"Content-Length: 100\r\n\r\n{")
    return client


def test_ctrl_c_lets_a_request_under_way_finish(folder: Path) -> None:
    launcher = start(folder)
    launcher.welcome()
    with half_a_request(launcher.port) as client:
        launcher.process.send_signal(signal.SIGINT)
        until(lambda: not healthy(launcher.port), "no new requests are taken")
        client.sendall(b" " * 99)
        assert client.recv(9) == b"HTTP/1.1 "
    assert launcher.end()[0] == 0


def test_a_second_ctrl_c_does_not_wait_for_calls_under_way(folder: Path) -> None:
    launcher = start(folder, DRAIN_SECONDS="3600")
    launcher.welcome()
    with half_a_request(launcher.port):
        (worker,) = children(launcher.child("gunicorn"))
        launcher.process.send_signal(signal.SIGTERM)
        until(lambda: not healthy(launcher.port), "no new calls are taken")
        assert launcher.process.poll() is None
        assert living([worker])
        launcher.process.send_signal(signal.SIGTERM)
        assert launcher.end()[0] == 0
    assert not living([worker])


def test_a_port_used_by_another_program_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        launcher = Launcher(folder / "unused", port)
        status, out = launcher.end()
    assert (status, out) == (1, "")
    assert launcher.said == [f"spendai: PORT {port} is used by another program; set PORT to a free one"]
    assert not (folder / "unused/postgres").exists()


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "eighty"), ("WORKERS", "0"), ("SECRET_KEY", "short"), ("PUBLIC_URL", "acme.test")]
)
def test_a_wrong_setting_is_named_and_nothing_starts(folder: Path, name: str, value: str) -> None:
    launcher = Launcher(folder / "wrong", free_port(), **{name: value})
    assert launcher.end() == (2, "")
    assert len(launcher.said) == 1
    assert launcher.said[0].startswith(f"spendai: {name}: ")
    assert not (folder / "wrong/postgres").exists()


@pytest.fixture(scope="module")
def plain() -> Iterator[Cluster]:
    """Somebody's Postgres, with a database for us whose owner may make roles and no more."""
    with temporary() as cluster:
        with psycopg.connect(cluster.dsn(SUPERUSER, "temporary"), autocommit=True) as conn:
            conn.execute("create role somebody login createrole password 'own'")
            conn.execute("create database spendai owner somebody")
        yield cluster


def test_with_database_url_nothing_embedded_is_started(folder: Path, plain: Cluster) -> None:
    url = f"host='{plain.socket}' user=somebody password=own dbname=spendai"
    launcher = Launcher(folder / "remote", free_port(), DATABASE_URL=url)
    launcher.welcome()
    assert children(launcher.process.pid, "postgres") == []
    assert not (folder / "remote/postgres").exists()
    assert launcher.stop() == 0


def test_a_start_says_that_stored_keys_are_of_other_encryption_keys(folder: Path, plain: Cluster) -> None:
    url = f"host='{plain.socket}' user=somebody password=own dbname=spendai"
    launcher = Launcher(folder / "remote", free_port(), DATABASE_URL=url)
    launcher.welcome()
    with psycopg.connect(url) as conn:
        conn.execute(
            "with o as (insert into public.organizations (name) values ('Acme') returning id)"
            " insert into private.admin_keys (org_id, ciphertext, last4) select id, '\\x010001', 'last' from o"
        )
    assert launcher.stop() == 0 and launcher.said == []
    again = Launcher(folder / "remote", free_port(), DATABASE_URL=url)
    again.welcome()
    until(lambda: again.said, "its line")
    assert again.said[0].startswith("spendai: 1 of 1 stored OpenAI keys cannot be decrypted")
    assert again.stop() == 0


def test_a_database_that_cannot_be_reached_is_reported_without_its_password(folder: Path) -> None:
    launcher = Launcher(folder / "away", free_port(), DATABASE_URL="postgresql://me:sesame@127.0.0.1:1/db")
    assert launcher.end() == (1, "")
    assert "127.0.0.1" in launcher.said[0]
    assert "sesame" not in "".join(launcher.said)


class Short:
    """Ends as soon as it was started."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["true"])

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.wait()


def test_what_keeps_ending_is_started_again_ever_later(capsys: pytest.CaptureFixture[str]) -> None:
    part = Part("the part", Short)
    part.begin()
    for _ in range(9):
        part.running.process.wait()
        part.due = 0.0  # as if the time had passed
        part.look()
        if not part.running:
            part.due = 0.0
            part.look()
    lines = capsys.readouterr().err.splitlines()
    waits = [line.partition(" in ")[2] for line in lines]
    assert waits == ["", "0.5 s", "1 s", "2 s", "4 s", "8 s", "16 s", "30 s", "30 s"]


def test_an_older_version_does_not_start_on_the_database_of_a_newer_one(folder: Path, own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as conn:
        conn.execute("insert into private.schema_files values ('db/migrations/9999_new.sql', 'x')")
    launcher = start(folder, DATABASE_URL=own_dsn)
    status, _ = launcher.end()
    assert status == 1 and len(launcher.said) == 1
    assert "9999_new.sql: applied, but not in this checkout: the database is newer" in launcher.said[0]
