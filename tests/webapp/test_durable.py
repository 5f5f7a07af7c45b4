"""The proof that no call is lost, for a quarter of a minute; `make prove-durable` runs it for as long as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal

import pytest
from durable.compare import compare, judge
from durable.plan import Plan
from stack import ROOT

GOOD = Plan("good", 100, 10, 0.0)
PRICED = {"end_user": "t", "state": "settled", "cost_status": "priced", "cost": Decimal("0.000021"),
          "tokens_in": 100, "tokens_out": 10}  # fmt: skip
OPEN = PRICED | {"state": "open", "cost_status": None, "cost": None, "tokens_in": None, "tokens_out": None}
UNKNOWN = PRICED | {"cost_status": "no_usage", "cost": None}
FREE = PRICED | {"cost_status": "error", "cost": 0}


def test_no_call_is_lost_or_double_while_everything_is_broken_under_load():
    command = [sys.executable, "-m", "durable.proof", "--seconds", "15", "--round", "15"]
    environ = os.environ | {"PYTHONPATH": ".:tests:tests/webapp"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize(
    ("what", "sent", "ended", "rows", "verdict"),
    [
        (GOOD, True, True, [PRICED], "priced"),
        (GOOD, True, True, [], "lost"),
        (GOOD, True, False, [], "lost"),
        (GOOD, False, False, [], "never sent"),
        (GOOD, True, True, [PRICED, PRICED], "doubled"),
        (GOOD, True, True, [OPEN], "lost"),
        (GOOD, True, False, [OPEN], "in doubt"),
        (GOOD, True, True, [PRICED | {"cost": Decimal("0.00002")}], "wrong"),
        (GOOD, True, True, [UNKNOWN], "wrong"),
        (GOOD, True, False, [UNKNOWN], "no usage"),
        (GOOD, True, False, [FREE], "wrong"),
        (GOOD, False, False, [FREE], "error"),
        (GOOD, False, False, [PRICED], "wrong"),
        (Plan("cut", 100, 10, 0.0), True, False, [PRICED], "wrong"),
        (Plan("429", 100, 10, 0.0), True, False, [FREE], "error"),
    ],
)
def test_the_proof_tells_every_kind_of_loss(what, sent, ended, rows, verdict):
    assert judge(what, sent, ended, rows) == verdict


def test_the_proof_notices_a_call_that_the_upstream_got_twice():
    verdicts, bad = compare(1, ["json-1"], [], ["json-1", "json-1"], [OPEN | {"end_user": "json-1"}])
    assert verdicts["doubled"] == 1 and bad
