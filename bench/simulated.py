"""10,000 calls a second over many workers and one Postgres, simulated: what each call waits for its two commits.

Messages (a call has two: open and settle) come at random moments and are spread over the workers. A worker sends what
it has as one transaction, one after the other. A transaction needs one of Postgres' cores for as long as measured by
beyond.py, in the order in which they come, and then waits for its commit.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from typing import NamedTuple

SECONDS, FIRST = 4.0, 1.0  # simulated; of these not counted
BATCH = 256  # messages in a transaction, at most, as in webapp/ledger/batcher.py
ARRIVES, COMPUTED, COMMITTED = range(3)


class Simulated(NamedTuple):
    """Calls in a transaction, transactions a second, busy cores, and ms of a message until it is committed."""

    batch: float
    transactions: float
    cores: float
    p50: float
    p99: float


class Database:
    """Postgres with so many cores. once, each: seconds of a core for a transaction and for each call in it."""

    def __init__(self, cores: int, once: float, each: float, commit: float) -> None:
        self.free, self.once, self.each, self.commit = cores, once, each, commit
        self.ready: deque[tuple[int, float]] = deque()  # transactions that wait for a core: worker, seconds

    def seconds(self, messages: list[tuple[float, bool]]) -> float:
        """Of a core for one transaction; one that only opens or only settles takes half as long to begin with."""
        kinds = len({settles for _, settles in messages})
        return self.once / 2 * kinds + self.each / 2 * len(messages)


def simulate(rate: float, workers: int, database: Database) -> Simulated:
    """``rate`` calls a second for SECONDS."""
    dice, done, used, sizes, waits = random.Random(1), 0.0, 0.0, [], []
    events: list[tuple[float, int, int]] = [(dice.expovariate(2 * rate), ARRIVES, 0)]
    queues: list[list[tuple[float, bool]]] = [[] for _ in range(workers)]
    sent: list[list[tuple[float, bool]]] = [[] for _ in range(workers)]

    def compute(now: float) -> None:
        """Let waiting transactions have the free cores."""
        nonlocal used
        while database.free and database.ready:
            worker, seconds = database.ready.popleft()
            database.free -= 1
            used += seconds if now > FIRST else 0
            heapq.heappush(events, (now + seconds, COMPUTED, worker))

    def send(worker: int) -> None:
        """Begin a transaction, if the worker has messages and no transaction."""
        if queues[worker] and not sent[worker]:
            sent[worker], queues[worker] = queues[worker][:BATCH], queues[worker][BATCH:]
            database.ready.append((worker, database.seconds(sent[worker])))

    while events[0][0] < SECONDS:
        now, event, worker = heapq.heappop(events)
        if event == ARRIVES:
            worker = dice.randrange(workers)
            queues[worker].append((now, dice.random() < 0.5))
            heapq.heappush(events, (now + dice.expovariate(2 * rate), ARRIVES, 0))
            send(worker)
        elif event == COMPUTED:
            database.free += 1
            heapq.heappush(events, (now + database.commit, COMMITTED, worker))
        else:
            if now > FIRST:
                sizes.append(len(sent[worker]))
                waits += [now - arrived for arrived, _ in sent[worker]]
            sent[worker] = []
            send(worker)
        compute(now)
        done = now
    waits.sort()
    span = done - FIRST
    p50, p99 = (waits[int(len(waits) * share)] * 1e3 for share in (0.5, 0.99))
    return Simulated(sum(sizes) / len(sizes) / 2, len(sizes) / span, used / span, p50, p99)
