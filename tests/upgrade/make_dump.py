"""Makes the dump of a version, which test_old_versions.py then finds by itself.

    PYTHONPATH=. .venv/bin/python tests/upgrade/make_dump.py COMMIT

COMMIT is the last one of a block of work that added migrations, on the main branch: its migrations must be the first
ones of this checkout, unchanged. The commit is checked out beside this one, and its own code fills a database of a
throw-away Postgres (old_ledger.py). pg_dump of that database becomes NNNN.dump.xz, and what the version itself said of
it NNNN.json, where NNNN is its last migration. Needs the packages of .venv, and Postgres 15 (PG_BINDIR): older programs
cannot read the dumps of newer ones, and SpendAI runs with Postgres 15 to 18.
"""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from webapp.postgres.cluster import SUPERUSER, temporary

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINDIR = Path(os.environ.get("PG_BINDIR", "/usr/lib/postgresql/15/bin"))


def run(*command: str | Path, cwd: Path = ROOT, **environ: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | environ, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def make(commit: str) -> Path:
    with tempfile.TemporaryDirectory() as folder, temporary(BINDIR) as server:
        old = Path(folder) / "old"
        run("git", "worktree", "add", "--quiet", "--detach", old, commit)
        try:
            last = sorted((old / "db/migrations").glob("*.sql"))[-1]
            owner, admin = server.dsn("postgres", "temporary"), server.dsn(SUPERUSER, "temporary")
            commit = run("git", "rev-parse", commit).strip()
            path = os.pathsep.join(map(str, (old, old / "tests")))
            said = run(sys.executable, HERE / "old_ledger.py", owner, admin, commit, cwd=old, PYTHONPATH=path)
        finally:
            run("git", "worktree", "remove", "--force", old)
        dump = Path(folder) / "dump"
        run(BINDIR / "pg_dump", "--format=custom", "--compress=0", "--file", dump, "--dbname", admin)
        number = last.name.partition("_")[0]
        (HERE / f"{number}.json").write_text(said)
        made = HERE / f"{number}.dump.xz"
        made.write_bytes(lzma.compress(dump.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    return made


if __name__ == "__main__":
    for one in sys.argv[1:]:
        print(make(one))
