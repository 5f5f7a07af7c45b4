"""What does counting a call for /metrics cost? `.venv/bin/python bench/metrics.py`

A call makes one count and three observations, with the cells of webapp/metrics/shared.py and with the files of
prometheus_client's multiprocess mode. Then what a scrape of eight workers takes. Processor time, best of several runs.
"""

# ruff: noqa: E402

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gevent import monkey

monkey.patch_all()  # as in a worker: prometheus_client's lock is gevent's then
FOLDER = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = FOLDER.name
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from webapp.metrics import shared
from webapp.metrics.measured import ADDED, CALLS, DURATION, FIRST_TOKEN, LONG, SHORT
from webapp.metrics.scrape import Collector

TIMES, ROUNDS = 20_000, 7


def best(job: Callable[[], object], times: int) -> float:
    """Seconds of one run."""
    runs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            job()
        runs.append(time.process_time() - began)
    return min(runs) / times


def shared_memory() -> None:
    """What webapp/gateway/bookkeeping.py does at the end of a call."""
    CALLS["complete", 2].add()
    DURATION.observe(0.8)
    ADDED.observe(0.003)
    FIRST_TOKEN.observe(0.3)


def multiprocess() -> Callable[[], None]:
    """The same with prometheus_client."""
    none = CollectorRegistry()
    calls = Counter("calls", "Calls.", ["outcome", "status"], registry=none).labels("complete", "2xx")
    duration, added, first = (
        Histogram(name, "Seconds.", buckets=bounds, registry=none)
        for name, bounds in (("duration", LONG), ("added", SHORT), ("first", LONG))
    )

    def count() -> None:
        calls.inc()
        duration.observe(0.8)
        added.observe(0.003)
        first.observe(0.3)

    return count


class NoDatabase:
    """In place of webapp.metrics.installation.Installation: rows are asked for every 15 seconds only."""

    def rows(self) -> list[dict[str, object]]:
        return []


def main() -> None:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(NoDatabase()))
    for _ in range(8):
        shared.use(shared.take())
        shared_memory()
    print(f"a call counted in shared memory           {best(shared_memory, TIMES) * 1e9:8,.0f} ns")
    print(f"the same in prometheus_client's files     {best(multiprocess(), TIMES) * 1e9:8,.0f} ns")
    print(f"a scrape, without the database's numbers  {best(lambda: generate_latest(registry), 20) * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
