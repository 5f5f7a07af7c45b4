"""Containerfile and compose.yaml name what exists and fits together; `make prove-container` runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from webapp.config import ROOT, SETTINGS, load

IMAGE = (ROOT / "Containerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
DEPLOY = (ROOT / "docs/deploy.md").read_text()
NAMES = {s.name for s in SETTINGS}
COPIED = [word for line in re.findall(r"^COPY (?!--)(.+) \S+$", IMAGE, re.M) for word in line.split()]


def test_what_the_image_copies_is_there_and_is_sent_to_the_builder() -> None:
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.M)
    assert sorted(sent) == sorted(COPIED)
    assert [path for path in COPIED if not (ROOT / path).exists()] == []


def test_the_copied_files_are_enough_to_start(tmp_path: Path) -> None:
    """A file that the code reads and the image lacks would be noticed only in the container."""
    for path in COPIED:
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    environ = {
        "PATH": "/usr/bin:/bin",
        "SPENDAI_HOME": str(tmp_path / "data"),
        "DATABASE_URL": "postgresql://nowhere/spendai",
    }
    start = "from wsgi import app; from webapp.pages.clients import DOCUMENT; print(DOCUMENT.read_text()[:2])"
    done = subprocess.run(
        [sys.executable, "-c", start], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("#"), done.stderr


def test_the_settings_of_both_files_exist() -> None:
    (own,) = re.findall(r"^ENV PATH=\S+ (.+)$", IMAGE, re.M)
    assert {word.split("=")[0] for word in own.split()} <= NAMES
    block = COMPOSE[COMPOSE.index("x-settings:") : COMPOSE.index("  database:\n    image")]
    named = re.findall(r"^ +([A-Z][A-Z_]+): ", block, re.M)
    assert {"SECRET_KEY_FILE", "DATABASE_URL"} <= set(named)
    assert {name.removesuffix("_FILE") for name in named} <= NAMES


def test_every_secret_is_a_file_that_the_documentation_makes_and_a_service_reads(tmp_path: Path) -> None:
    (make,) = re.findall(r"```\n(mkdir -m 700 secrets\n.*?)```", DEPLOY, re.S)
    subprocess.run(["sh", "-eu", "-c", make], cwd=tmp_path, check=True)
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    defined = dict(re.findall(r"^  (\w+):\n    file: secrets/(\w+)$", COMPOSE, re.M))
    assert defined == {name: name for name in made}
    given = {name for words in re.findall(r"^    secrets: \[(.+)\]$", COMPOSE, re.M) for name in words.split(", ")}
    assert given == made == set(re.findall(r"_FILE: /run/secrets/(\w+)$", COMPOSE, re.M))
    files = re.findall(r"^ +(\w+_FILE): /run/secrets/(\w+)$", COMPOSE, re.M)
    config = load({name: str(tmp_path / "secrets" / file) for name, file in files if name[: -len("_FILE")] in NAMES})
    password = (tmp_path / "secrets/database_password").read_text().strip()
    assert config.database_url == f"postgresql://spendai:{password}@database/spendai"
    assert len(config.key_ring[1]) == 32 and config.openai_api_key is None


def test_the_database_is_made_by_a_file_that_is_there_for_the_owner_that_the_gateway_expects() -> None:
    (file,) = re.findall(r"^ +- \./(\S+):/docker-entrypoint-initdb\.d/", COMPOSE, re.M)
    made = (ROOT / file).read_text()
    assert "create role spendai login createrole" in made and "create database spendai owner spendai" in made
    assert "@database/spendai" in DEPLOY and "DATABASE_URL: postgresql://database/spendai" in COMPOSE


def test_a_container_is_stopped_later_than_its_gateway_gives_up() -> None:
    (default,) = [int(s.default) for s in SETTINGS if s.name == "DRAIN_SECONDS"]
    (longer,) = re.findall(
        r"graceful_timeout = _config\.drain_seconds \+ (\d+)", (ROOT / "gunicorn.conf.py").read_text()
    )
    gateway = COMPOSE[COMPOSE.index("  gateway:\n") : COMPOSE.index("  database:\n    image")]
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", gateway)
    assert int(grace) >= default + int(longer) + 5


def test_no_container_runs_as_root_or_may_write_its_own_root() -> None:
    assert re.findall(r"^USER (\S+)$", IMAGE, re.M) == ["10001:10001"]
    for start, end in (("x-spendai:", "x-settings:"), ("  database:\n    image", "\nvolumes:")):
        service = COMPOSE[COMPOSE.index(start) : COMPOSE.index(end)]
        assert "read_only: true" in service and "cap_drop: [ALL]" in service and "no-new-privileges:true" in service
