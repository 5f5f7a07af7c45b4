"""Faults of the proof: what is done to a running SpendAI, each at a random moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from durable.product import Product

from webapp.postgres.programs import account, run_as

WEIGHTS = {
    "kill a worker": 40, "kill a backend": 16, "kill the gunicorn master": 7, "kill the postmaster": 7,
    "kill the launcher": 4, "kill everything": 5, "terminate a worker": 8, "terminate everything": 3,
    "freeze Postgres": 5, "fill the disk": 5,
}  # fmt: skip


def pick(dice: random.Random) -> str:
    return dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def inject(fault: str, product: Product, dice: random.Random) -> int:
    """Do it; returns how many processes were killed or terminated. 0 when what it aims at does not run right now."""
    deeds: dict[str, Callable[[], int]] = {
        "kill a worker": lambda: _one(product.workers(), signal.SIGKILL, dice),
        "terminate a worker": lambda: _one(product.workers(), signal.SIGTERM, dice),
        "kill a backend": lambda: _one(product.backends(), signal.SIGKILL, dice),
        "kill the gunicorn master": lambda: _all(product.masters()),
        "kill the postmaster": lambda: _all(product.postmasters()),
        "kill the launcher": lambda: _all([product.process.pid]),
        "kill everything": lambda: _all([product.process.pid, *product.gateway(), *product.postgres()]),
        "terminate everything": lambda: _all([product.process.pid], signal.SIGTERM),
        "freeze Postgres": lambda: _freeze(product, dice.choice([0.5, 1.5, 3.0, 7.0])),
        "fill the disk": lambda: _fill(product, dice.choice(["2000000", "8000000"]), dice.uniform(0.5, 2.0)),
    }
    return deeds[fault]()


def _one(pids: list[int], number: signal.Signals, dice: random.Random) -> int:
    return _all([dice.choice(pids)], number) if pids else 0


def _all(pids: list[int], number: signal.Signals = signal.SIGKILL) -> int:
    done = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            done += 1
    return done


def _freeze(product: Product, seconds: float) -> int:
    frozen = product.postgres()
    _all(frozen, signal.SIGSTOP)
    time.sleep(seconds)
    _all(frozen, signal.SIGCONT)
    return 0


def _fill(product: Product, size: str, seconds: float) -> int:
    """No file of the server may grow beyond ``size`` bytes: it takes that for a full disk, write-ahead log included.

    Less than 1 MB would also hit its shared memory, which lives in no disk's files.
    """
    _limit(product, size)
    time.sleep(seconds)
    _limit(product, "unlimited")
    return 0


def _limit(product: Product, size: str) -> None:
    user = account(product.data())  # only they, or a stronger root than a container's, may set it
    for pid in product.postgres():
        subprocess.run(
            ["prlimit", f"--pid={pid}", f"--fsize={size}:"], check=False, stderr=subprocess.DEVNULL, **run_as(user)
        )
