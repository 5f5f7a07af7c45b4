"""`make prove-scale`: several gateways on one database, which fails over under load: no call is lost or doubled.

First clients call all gateways side by side, while keys are made through one and revoked through another. Then, in
each round, the primary goes away under load (all its processes killed, or frozen and woken when nobody needs it any
more), sometimes with a gateway; its standby takes over and is compared with what the upstream wrote down and what
clients saw. Exit status 1 when a call was lost, doubled or priced wrongly, or a revoked key still worked.

Meanwhile somebody reads a page and sums at every gateway. The standby is the read replica too, so they come from it
while there is no primary; the first failover is triggered only when every gateway has shown that.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from durable.clients import Clients
from durable.compare import WORDS, Tally
from durable.proof import upstream
from pooler import PROGRAM
from processes import empty_folder
from scale.fleet import Fleet, fleet
from scale.pair import Pair
from scale.readers import PATHS, Readers

FIRST_FAILOVER = 2  # the number of its round; it waits for pages before there is another primary
PATIENCE = 40  # seconds for every gateway to serve again


class Proof:
    """One run: its gateways, its clients, and what was counted so far."""

    def __init__(self, running: Fleet, tally: Tally, seed: int, clients: int) -> None:
        self.fleet, self.tally, self.seed = running, tally, seed
        self.dice = random.Random(seed)
        self.clients = Clients(running.ports, running.make_key(0)["key"], seed, clients)
        self.readers = Readers(running.ports, running.token)
        self.pages: Counter[str] = Counter()
        self.longest = 0.0
        self.faults: Counter[str] = Counter()
        self.away: dict[str, list[float]] = {"both hosts named": [], "PgBouncer repointed": []}
        self.rounds = self.side_by_side = self.connections = self.revoked = self.refused = 0
        self.wrong: list[str] = []

    def several(self, seconds: float) -> None:
        """All gateways at once, and keys that are revoked under way."""
        self.rounds += 1
        since, end, used = self.tally.now(), time.monotonic() + seconds, []
        with self.clients.calling("several"):
            while time.monotonic() < end:
                used += self._revoke(self.revoked)
                self.connections = max(self.connections, self.fleet.connections())
        self.clients.ended += used
        self._count(since, may_be_open=False)
        self.side_by_side = self.tally.calls
        if self.connections > self.fleet.bound:
            self.wrong.append(f"{self.connections} server connections, {self.fleet.bound} allowed")

    def _revoke(self, n: int) -> list[str]:
        """A key that works at every gateway is refused by every one as soon as one has revoked it; tags that went."""
        key = self.fleet.make_key(n)
        before, used = self.fleet.everywhere(self.seed, key["key"], f"key{n}")
        self.fleet.revoke(n + 1, key)
        after, slipped = self.fleet.everywhere(self.seed, key["key"], f"revoked{n}")
        if set(before) != {200} or set(after) != {401}:
            self.wrong.append(f"key {n}: {before} before it was revoked, {after} afterwards")
        self.revoked += 1
        return used + slipped

    def failover(self) -> None:
        """The primary goes away under load, its standby takes over; then both are as before, in other places."""
        self.rounds += 1
        pair, dice, since = self.fleet.pair, self.dice, self.tally.now()
        frozen, victim = dice.random() < 0.3, dice.randrange(9) if dice.random() < 0.4 else None
        with self.clients.calling(f"r{self.rounds}"), self.readers.reading():
            time.sleep(dice.uniform(1, 2))
            if not pair.synchronous:
                pair.lag()
            old = pair.primary
            (pair.freeze if frozen else pair.kill)(old)
            gone = time.monotonic()
            if victim is not None:
                self.fleet.kill(victim)
            time.sleep(dice.uniform(0.1, 0.8))  # until the failover is triggered
            if self.rounds == FIRST_FAILOVER:
                self._wait_for_pages(gone, victim)
            pair.promote()
            if frozen:  # gateways may reach the old primary until it is fenced
                pair.thaw(old)
                time.sleep(dice.uniform(0.2, 2))
                pair.kill(old)
            self.fleet.repoint()
            for gateway in self.fleet.gateways:
                gateway.revive()
            self._wait_for_service(gone, victim)
            time.sleep(1)
        self._count_pages(gone, victim)
        self.faults["frozen" if frozen else "killed"] += 1
        self.faults["with a gateway"] += victim is not None
        self._count(since, may_be_open=victim is not None)
        pair.follow()

    def _wait_for_service(self, gone: float, victim: int | None) -> None:
        """Wait until a call made after the primary was gone ended well at every gateway; notes how long that took."""
        ports, served = self.fleet.ports, {}
        while len(served) < len(ports):
            if time.monotonic() > gone + PATIENCE:
                self.wrong.append(f"round {self.rounds}: not every gateway served again within {PATIENCE} s")
                return
            time.sleep(0.02)
            for seen in [each for each in self.clients.seen if each.whole and each.begun > gone]:
                served[seen.port] = min(seen.ended, served.get(seen.port, seen.ended))
        for n, port in enumerate(ports):
            if victim is None or n != victim % len(ports):  # that one was away longer than the database
                way = "both hosts named" if n == len(ports) - 1 else "PgBouncer repointed"
                self.away[way].append(served[port] - gone)

    def _wait_for_pages(self, gone: float, victim: int | None) -> None:
        """Wait until every gateway that lives has read its page and its sums from the replica, without a primary."""
        ports = {
            port for n, port in enumerate(self.fleet.ports) if victim is None or n != victim % len(self.fleet.ports)
        }
        wanted = {(port, path) for port in ports for path in PATHS}
        while missing := wanted - self.readers.by_replica(gone):
            if time.monotonic() > gone + PATIENCE:
                self.wrong.append(
                    f"round {self.rounds}: not read from the replica while the primary was away: {missing}"
                )
                return
            time.sleep(0.02)

    def _count_pages(self, gone: float, victim: int | None) -> None:
        """Count how pages and sums were answered since the primary went; a gateway that was killed is left out."""
        killed = None if victim is None else self.fleet.ports[victim % len(self.fleet.ports)]
        for read in self.readers.seen:
            if read.port != killed and read.ended > gone:
                self.pages["replica" if read.by_replica else "primary" if read.status == 200 else "refused"] += 1
                self.longest = max(self.longest, read.ended - read.begun)
                if read.status not in (200, 503):
                    self.wrong.append(f"round {self.rounds}: {read.path} was answered with {read.status}")

    def _count(self, since: object, *, may_be_open: bool) -> None:
        """Judge the round. Only a gateway that was killed may leave calls in doubt."""
        self.fleet.whole()
        before = self.tally.verdicts["in doubt"]
        refusals = [seen for seen in self.clients.seen if seen.status == 503]
        self.refused += len(refusals)
        if silent := [seen for seen in refusals if not seen.again]:
            self.wrong.append(f"{len(silent)} refusals without retry-after")
        self.tally.add(self.clients, since)
        if (doubtful := self.tally.verdicts["in doubt"] - before) and not may_be_open:
            self.wrong.append(f"round {self.rounds}: {doubtful} calls in doubt, though every gateway lived")

    def progress(self) -> str:
        return f"round {self.rounds}: {self.tally.calls} calls, {self.refused} refused: {self.tally.words()}"

    def table(self) -> str:
        """What was done and what came of it, as Markdown."""
        running, faults = self.fleet, self.faults
        away = {f"seconds away, {name}: least, median, most": _spread(found) for name, found in self.away.items()}
        rows: dict[str, object] = {
            "rounds": self.rounds,
            "gateways, with workers each": f"{len(running.gateways)}, {running.workers}",
            "calls while all was well": self.side_by_side,
            "keys revoked through one gateway, refused at once by all": self.revoked,
            "server connections at most, allowed": f"{self.connections}, {running.bound}",
            "failovers: primary killed, frozen": f"{faults['killed']}, {faults['frozen']}",
            "of these with a gateway killed": faults["with a gateway"],
            "calls the upstream got": self.tally.calls,
            "refused with retry-after, not sent": self.refused,
            **{word: self.tally.verdicts[word] for word in WORDS},
            **away,
            "pages and sums read since a primary went: from the replica": self.pages["replica"],
            "from the primary (the new one)": self.pages["primary"],
            "refused": self.pages["refused"],
            "longest wait for one, seconds": f"{self.longest:.1f}",
        }
        return "\n".join(["| counted | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _spread(found: Sequence[float]) -> str:
    return f"{min(found):.1f}, {statistics.median(found):.1f}, {max(found):.1f}" if found else "–"


def run(home: Path, words: argparse.Namespace) -> int:
    """The whole proof; its exit status."""
    with (
        upstream(words.seed, home / "journal") as url,
        Pair(home, synchronous=not words.asynchronous) as pair,
        fleet(home, pair, url, words.gateways, words.workers) as running,
    ):
        tally = Tally(words.seed, home / "journal", pair.ask)
        proof = Proof(running, tally, words.seed, words.clients)
        try:
            proof.several(words.seconds)
            print(proof.progress(), flush=True)
            for _ in range(words.failovers):
                proof.failover()
                print(proof.progress(), flush=True)
        finally:
            if words.keep:
                (kept := Path(words.keep)).mkdir(parents=True, exist_ok=True)
                for log in home.glob("*/*.log"):
                    shutil.copy(log, kept / f"{log.parent.name}-{log.name}")
    print(proof.table())
    for line in (*proof.wrong, *tally.bad[:50]):
        print(line)
    return 1 if proof.wrong or tally.bad or not tally.verdicts["priced"] else 0


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=10, help="how long all gateways are called while all is well")
    asked.add_argument("--failovers", type=int, default=4)
    asked.add_argument("--gateways", type=int, default=3, help="one names both servers, the others have PgBouncer")
    asked.add_argument("--workers", type=int, default=2, help="of each gateway")
    asked.add_argument("--clients", type=int, default=24)
    asked.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked.add_argument(
        "--asynchronous", action="store_true", help="do not wait for a standby that lags: must lose calls"
    )
    asked.add_argument("--keep", help="folder to copy the logs to")
    words = asked.parse_args()
    if not PROGRAM:
        print("pgbouncer is not installed, and installing it takes root and apt", file=sys.stderr)
        return 2
    print(f"seed {words.seed}", flush=True)
    with empty_folder("spendai-scale-") as home:
        return run(home, words)


if __name__ == "__main__":
    sys.exit(main())
