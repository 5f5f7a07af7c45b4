"""Programs that the benchmark builds or installs: two in C, LiteLLM and Portkey. Done once, kept in var/bench."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from webapp.config import ROOT

CACHE = ROOT / "var/bench"  # ignored by git; delete CACHE/peers to get newer peers
PEERS = CACHE / "peers"
# The version in Portkey's own lock file. With a newer one, streams end in "TypeError: immutable" (its issue 1389).
PORTKEY = {"dependencies": {"@portkey-ai/gateway": "latest"}, "overrides": {"@hono/node-server": "1.13.5"}}


class Missing(Exception):
    """A program that the benchmark needs is missing or does not work; the message says which."""


def find(name: str) -> str:
    """Path of an installed program. Raises Missing."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not path:
        raise Missing(f"{name} is not installed (apt install {name})")
    return path


def install_programs(*names: str) -> None:
    """Install packages of Debian, if this user may."""
    subprocess.run([str(ROOT / ".ci/bench"), *names], check=False, stdin=subprocess.DEVNULL, timeout=900)


def compiled(name: str) -> Path:
    """Path of the program made from bench/NAME.c, compiled when needed. Raises Missing."""
    source, program = ROOT / f"bench/{name}.c", CACHE / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        _run([find("cc"), "-O2", "-Wall", "-o", str(program), str(source)], 120)
    return program


def litellm() -> tuple[list[str], str]:
    """Command of LiteLLM's proxy, in a virtual environment of its own, and its version. Raises Missing."""
    python, program, done = (PEERS / "litellm" / path for path in ("bin/python", "bin/litellm", "done"))
    if not done.exists():
        _say("LiteLLM")
        _run([sys.executable, "-m", "venv", "--clear", str(PEERS / "litellm")], 120)
        _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "litellm[proxy]"], 900)
        done.touch()
    version = [str(python), "-c", "from importlib.metadata import version; print(version('litellm'))"]
    # Started with its Python: the path in the script's first line is wrong once the folder was moved.
    return [str(python), str(program)], _run(version, 60).strip()


def portkey() -> tuple[list[str], str]:
    """Command of Portkey's gateway and its version. Raises Missing."""
    folder = PEERS / "portkey"
    package = folder / "node_modules/@portkey-ai/gateway"
    if not (folder / "done").exists():
        _say("Portkey")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"private": True} | PORTKEY))
        options = ["--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        _run([find("npm"), "install", *options], 900)
        (folder / "done").touch()
    command = [find("node"), str(package / "build/start-server.js"), "--headless"]
    return command, json.loads((package / "package.json").read_text())["version"]


def _say(name: str) -> None:
    print(f"Installing {name} into {PEERS.relative_to(ROOT)} …", file=sys.stderr, flush=True)


def _run(command: list[str], seconds: float) -> str:
    """Output of a command. Raises Missing when it fails or takes too long."""
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        words = (getattr(error, "stderr", "") or str(error)).strip().splitlines() or [""]
        raise Missing(f"{Path(command[0]).name} failed: {words[-1]}") from None
    return done.stdout
