"""Attacks on what everybody shares are held: `make prove-hostile` as a test, with fewer connections."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hostile import frame
from hostile.frame import Result, attack
from stack import ROOT


def test_every_attack_is_held_while_others_are_served() -> None:
    command = [sys.executable, "-m", "hostile.assault", "--quick"]
    environ = os.environ | {"PYTHONPATH": ".:tests:tests/webapp"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_an_attempt_that_was_not_held_is_a_finding() -> None:
    result = Result()
    result.tried("a door", held=True, times=3)
    result.tried("a window", held=False, times=2)
    assert (result.attempts, result.held, result.findings) == (5, 3, ["a window"])


def test_two_attacks_of_one_name_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "ATTACKS", {})
    attack("doors")(lambda _: Result())
    with pytest.raises(AssertionError, match="doors"):
        attack("doors")(lambda _: Result())
