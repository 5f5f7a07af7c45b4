"""`flask migrate` and `flask migrate --check` on a database that the operator runs."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from stack import SECRETS

from webapp.config import ROOT


def flask(home: Path, dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | SECRETS | {"DATABASE_URL": dsn, "SPENDAI_HOME": str(home)}
    command = [sys.executable, "-m", "flask", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_a_database_is_brought_up_to_date_once_and_the_login_roles_let_in(own_dsn, tmp_path):
    with psycopg.connect(own_dsn) as conn:
        conn.execute("delete from private.schema_files where path = 'db/functions/me.sql'")
    check = flask(tmp_path, own_dsn, "migrate", "--check")
    passwords = [f"password of spendai_{role}" for role in ("web", "proxy", "auth")]
    assert (check.returncode, check.stdout.splitlines()) == (1, ["db/functions/me.sql", *passwords, "4 to apply"])
    done = flask(tmp_path, own_dsn, "migrate")
    assert done.returncode == 0 and "db/functions/me.sql" in done.stdout
    assert all(line in done.stdout for line in passwords)
    assert flask(tmp_path, own_dsn, "migrate", "--check").stdout == "0 to apply\n"


def test_a_database_that_cannot_be_reached_is_said_in_one_line(tmp_path):
    answer = flask(tmp_path, "postgresql://nobody:secret@127.0.0.1:1/x", "migrate")
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("Error: the database cannot be reached") and line.endswith("failed: Connection refused")
    assert "secret" not in answer.stderr
