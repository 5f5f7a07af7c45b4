"""The overrides of gunicorn run only with the versions they are written for."""

from __future__ import annotations

import subprocess
import sys

import gevent
import gunicorn
import pytest

from webapp.config import ROOT
from webapp.server.versions import VERSIONS, check

START = """
import gevent
gevent.__version__ = "99.1"
from gunicorn.app.wsgiapp import run
run()
"""


def test_the_versions_are_those_that_requirements_txt_installs() -> None:
    lines = (ROOT / "requirements.txt").read_text().split()
    assert [f"{name}=={version}" for name, version in VERSIONS.items() if f"{name}=={version}" not in lines] == []
    check()


@pytest.mark.parametrize("module", [gunicorn, gevent])
@pytest.mark.parametrize("version", ["27.0.2", "26.9.0.dev1", "99.1"])
def test_another_version_is_refused_and_the_message_says_how_to_go_on(module, version, monkeypatch) -> None:
    monkeypatch.setattr(module, "__version__", version)
    with pytest.raises(SystemExit) as refused:
        check()
    message = str(refused.value)
    assert message.startswith(f"{module.__name__} {version} is installed")
    for word in (VERSIONS[module.__name__], "pip install -r requirements.lock", "webapp/server/versions.py"):
        assert word in message


def test_gunicorn_does_not_start_with_another_gevent() -> None:
    command = [sys.executable, "-c", START, "--config", "gunicorn.conf.py", "--check-config", "wsgi:app"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("gevent 99.1 is installed, but webapp/server/ overrides parts of gevent")
