"""Several gateways and a failover under load, for a quarter of a minute; `make prove-scale` does it for longer."""

from __future__ import annotations

import os
import subprocess
import sys

import pooler
from stack import ROOT


def test_two_gateways_share_a_database_and_a_failover_of_it_loses_no_call() -> None:
    pooler.needed()
    command = [sys.executable, "-m", "scale.failovers", "--seconds", "1", "--failovers", "1", "--gateways", "2"]
    command += ["--workers", "1", "--clients", "12"]
    environ = os.environ | {"PYTHONPATH": ".:tests:tests/webapp"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
