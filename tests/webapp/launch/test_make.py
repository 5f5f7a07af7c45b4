"""The Makefile, in a folder with a space in its name: help, psql, and when it installs again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.config import ROOT, Config, load
from webapp.postgres import embedded

QUOTED = """-At -c "select $$it's$$, current_user" -c 'select 2'"""


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """This checkout under another name, with our virtual environment as if it had been installed there."""
    base = Path(tempfile.mkdtemp(prefix="spendai-test-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    base.chmod(0o755)
    path = base / "a b"
    (path / ".venv").mkdir(parents=True)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (path / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    for name in (".ci", "webapp", "db"):
        (path / name).symlink_to(ROOT / name)
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, path)
    for stamp in ("installed", "installed-dev"):
        (path / ".venv" / stamp).touch()
    yield path
    shutil.rmtree(base)


@pytest.fixture(scope="module")
def config(checkout: Path) -> Config:
    return load({"SPENDAI_HOME": str(checkout / "var")})


def make(checkout: Path, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    settings = {"SPENDAI_HOME": str(checkout / "var"), "PGCONNECT_TIMEOUT": "5"} | environ
    kept = {
        k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["make", *words], check=False, cwd=checkout, env=kept | settings, input=stdin, capture_output=True, text=True
    )


def test_make_alone_explains_every_target(checkout: Path) -> None:
    done = make(checkout)
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")  # lines that go on
    phony = re.search(r"^\.PHONY: (.*)$", text, re.M)[1].split()
    explained = {line.split()[1]: line.split(maxsplit=2)[2] for line in done.stdout.splitlines()}
    assert set(explained) == set(phony)
    assert done.returncode == 0


def test_psql_takes_sql_from_stdin_and_arguments_and_adds_nothing_of_its_own(checkout: Path) -> None:
    done = make(checkout, "psql", "ARGS=-At -v n=41", stdin="select :n + 1, current_user;")
    assert (done.stdout, done.stderr, done.returncode) == ("42|postgres\n", "", 0)
    for given in ([["ARGS=" + QUOTED], {}], [[], {"ARGS": QUOTED}]):
        done = make(checkout, "psql", *given[0], **given[1])
        assert (done.stdout, done.returncode) == ("it's|postgres\n2\n", 0)


def test_psql_fails_when_sql_fails(checkout: Path) -> None:
    assert make(checkout, "psql", "ARGS=-c 'select 1/0'").returncode != 0
    done = make(checkout, "psql", "ARGS=-v ON_ERROR_STOP=1", stdin="select 1/0; select 1;")
    assert done.returncode != 0
    assert "division by zero" in done.stderr
    assert done.stdout == ""


def test_psql_opens_the_running_database_and_leaves_it_running(checkout: Path, config: Config) -> None:
    server = embedded.ensure(config)
    try:
        assert make(checkout, "psql", "ARGS=-qc 'create table seen ()'").returncode == 0
        assert make(checkout, "psql", "ARGS=-Atc 'select count(*) from seen'").stdout == "0\n"
        assert server.alive()
    finally:
        server.stop()


def test_psql_shows_the_products_views_even_before_the_first_run(checkout: Path) -> None:
    home = str(checkout / "fresh")
    done = make(checkout, "psql", "ARGS=-Atc 'select count(*) from spend_daily'", SPENDAI_HOME=home)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


def test_a_wrong_setting_stops_psql_with_its_name(checkout: Path) -> None:
    done = make(checkout, "psql", PORT="eighty")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("spendai: PORT: ")


def test_changed_locks_are_installed_at_the_next_start(checkout: Path) -> None:
    assert "pip install" not in make(checkout, "-n", "run").stdout
    later = (checkout / ".venv/installed").stat().st_mtime + 1
    os.utime(checkout / "requirements.lock", (later, later))
    try:
        assert "pip install" in make(checkout, "-n", "run").stdout
    finally:
        os.utime(checkout / "requirements.lock", (0, 0))


def test_an_environment_that_does_not_run_here_is_made_anew(checkout: Path) -> None:
    plan = make(checkout, "-n", "run", "BIN=.venv/gone").stdout
    (checkout / ".venv/installed").touch()
    (checkout / ".venv/installed-dev").touch()
    assert plan.index(".ci/venv") < plan.index("pip install") < plan.index("-m webapp.launch.run")


def test_an_environment_that_was_moved_is_made_anew(checkout: Path, tmp_path: Path) -> None:
    """Its Python runs, but not flask and gunicorn, which name the folder where they were."""
    for name in ("Makefile", ".ci", "requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).symlink_to(ROOT / name)
    venv.create(tmp_path / "before/.venv", symlinks=True)
    (tmp_path / "before/.venv").rename(tmp_path / ".venv")
    for made, again in (("before", True), (".", False)):
        config = (tmp_path / ".venv/pyvenv.cfg").read_text()
        (tmp_path / ".venv/pyvenv.cfg").write_text(config.replace(f"{tmp_path}/before", str(tmp_path / made)))
        (tmp_path / ".venv/installed").touch()
        assert (".ci/venv" in make(tmp_path, "-n", "run").stdout) == again


def test_a_python_that_does_not_work_is_passed_over(checkout: Path, tmp_path: Path) -> None:
    for name, script in (("python3", "exit 127"), ("python3.11", 'test "$1" = -c || echo "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    environ = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environ.pop("PYTHON", None)
    done = subprocess.run([checkout / ".ci/venv"], env=environ, check=True, capture_output=True, text=True)
    assert done.stdout == "-m venv --clear .venv\n"
