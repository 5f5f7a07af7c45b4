"""`make prove-durable`: breaks each part under load, then counts: no call is lost, none is counted twice.

In each round clients call the product, over HTTP and over WebSocket, while faults hit it at random moments. Then it is
brought back, and every call the upstream wrote down is compared with the ledger. Exit status 1 when a call was lost,
doubled or priced wrongly.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from durable import faults
from durable.clients import Clients
from durable.compare import WORDS, Tally
from durable.product import Product
from processes import empty_folder
from stack import ROOT

from webapp.postgres.cluster import die_with_parent

TALKERS = 8  # clients over WebSocket, besides those over HTTP


class Proof:
    """One run: its product, its clients, and what was counted so far."""

    def __init__(self, product: Product, clients: Clients, tally: Tally, seed: int) -> None:
        self.product, self.clients, self.tally = product, clients, tally
        self.dice = random.Random(seed)
        self.faults: Counter[str] = Counter()
        self.kills = self.rounds = 0

    def round(self, seconds: float) -> None:
        """Load and faults for a while, then the comparison."""
        self.rounds += 1
        since = self.tally.now()
        with self.clients.calling(f"r{self.rounds}"):
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, self.dice.uniform(0.3, 1.8)))
                self._hit()
        self.product.whole()
        self.tally.add(self.clients, since)

    def _hit(self) -> None:
        fault = faults.pick(self.dice)
        killed = faults.inject(fault, self.product, self.dice)
        if killed or fault in ("freeze Postgres", "fill the disk"):
            self.faults[fault] += 1
        self.kills += killed
        if fault == "terminate everything" and killed:
            self.product.process.wait(60)
        if fault in ("kill everything", "kill the launcher"):
            self.product.process.wait(60)
        self.product.revive()

    def progress(self) -> str:
        return f"round {self.rounds}: {self.tally.calls} calls, {self.kills} kills: {self.tally.words()}"

    def table(self) -> str:
        """What was done and what came of it, as Markdown."""
        totals = {"rounds": self.rounds, "calls the upstream got": self.tally.calls,
                  "of them over WebSocket": self.tally.in_sessions, "sessions over WebSocket": self.tally.sessions,
                  "processes killed": self.kills}  # fmt: skip
        totals |= {word: self.tally.verdicts[word] for word in WORDS}
        lines = ["| counted | |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in totals.items()), ""]
        lines += ["| fault | times |", "|---|---:|", *(f"| {name} | {self.faults[name]} |" for name in faults.WEIGHTS)]
        return "\n".join(lines)


@contextmanager
def upstream(seed: int, journal: Path) -> Iterator[str]:
    """The upstream's base URL, while it runs."""
    command = [sys.executable, "-m", "durable.upstream", str(seed), str(journal)]
    journal.touch()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=30, help="how long calls are made in all")
    asked.add_argument("--round", type=float, default=15, help="seconds of calls between comparisons")
    asked.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked.add_argument("--keep", help="folder to copy the logs to when something is wrong")
    words = asked.parse_args()
    print(f"seed {words.seed}", flush=True)
    with empty_folder("spendai-prove-") as home, upstream(words.seed, home / "journal") as url:
        product = Product(home, url)
        product.start()
        try:
            product.whole(0)
            tally = Tally(words.seed, home / "journal", product.rows)
            proof = Proof(product, Clients(product.port, product.key(), words.seed, talkers=TALKERS), tally, words.seed)
            for _ in range(max(1, round(words.seconds / words.round))):
                proof.round(words.round)
                print(proof.progress(), flush=True)
        finally:
            product.stop()
            if words.keep:
                Path(words.keep).mkdir(parents=True, exist_ok=True)
                shutil.copy(product.log, words.keep)
    print(proof.table())
    for line in tally.bad[:50]:
        print(line)
    return 1 if tally.bad or not tally.verdicts["priced"] else 0


if __name__ == "__main__":
    sys.exit(main())
