"""The metrics: their names, what they mean, and the cells in which they are counted.

No label names an organization, project, key, model or end user: labels have few values, which are all listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple, TypeVar

from webapp.metrics.shared import Count, Level, Spread

OUTCOMES = ("complete", "pending", "no_usage", "error", "refused")
CLASSES = ("2xx", "3xx", "4xx", "5xx", "other")
PROBLEMS = ("spooled", "kept", "refused", "defect")
POOLS = ("web", "auth", "read", "read_auth")
# Upper bounds of what is counted together: seconds of a call, seconds of SpendAI's own, messages.
LONG = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
SHORT = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
MESSAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
Cell = TypeVar("Cell", Count, Level, Spread)


class Metric(NamedTuple):
    """One metric. labels: their names; cells: values of the labels → Count, Level or Spread of that combination."""

    name: str
    help: str
    labels: tuple[str, ...]
    cells: dict[tuple[str, ...], Any]


METRICS: list[Metric] = []


def _many(make: Callable[[], Cell], name: str, text: str, **labels: tuple[str, ...]) -> dict[tuple[str, ...], Cell]:
    cells = {values: make() for values in product(*labels.values())}
    METRICS.append(Metric(f"spendai_{name}", text, tuple(labels), cells))
    return cells


def _one(make: Callable[[], Cell], name: str, text: str) -> Cell:
    return _many(make, name, text)[()]


_calls = _many(
    Count, "calls_total",
    "Calls that have ended, by outcome and class of the status that the client got. complete: OpenAI answered, and "
    "what it billed is known. pending: OpenAI goes on with it. no_usage: what it billed is not known. error: it is "
    "free. refused: SpendAI answered with an error before the call was opened; in a WebSocket session, each message "
    "that it answered so.",
    outcome=OUTCOMES, status=CLASSES,
)  # fmt: skip
# By outcome and first digit of the status, so that no call has to make a label.
CALLS = {
    (outcome, digit): _calls[outcome, f"{digit}xx" if 2 <= digit <= 5 else "other"]
    for outcome in OUTCOMES
    for digit in range(10)
}
DURATION = _one(
    partial(Spread, LONG), "call_duration_seconds",
    "Seconds from the moment when a call's request was read (of an upload: its head) until the call was settled.",
)  # fmt: skip
ADDED = _one(
    partial(Spread, SHORT), "added_latency_seconds",
    "Seconds that SpendAI added to a call over HTTP: from the moment when its request was read until it began to be "
    "sent to OpenAI, plus from the last bytes of OpenAI's answer until the call was settled. Without calls that OpenAI "
    "did not answer or whose client hung up.",
)  # fmt: skip
FIRST_TOKEN = _one(
    partial(Spread, LONG), "time_to_first_token_seconds",
    "Seconds from the moment when a call's request was read until the first bytes of its streamed answer were there; "
    "over WebSocket until OpenAI began the response.",
)  # fmt: skip
_problems = _many(
    Count, "settle_problems_total",
    "Calls that were not settled at once. spooled: written to disk, retried. kept: only in memory because the disk "
    "failed, retried. refused: the database rejects it, the call stays in doubt. defect: an error of SpendAI's.",
    problem=PROBLEMS,
)  # fmt: skip
SETTLE_PROBLEMS = {problem: cell for (problem,), cell in _problems.items()}
REPLAYED = _one(
    Count, "spool_replayed_total", "Calls that were settled later, from the spool or from memory.",
)  # fmt: skip
BATCH = _one(
    partial(Spread, MESSAGES), "ledger_batch_messages", "Messages in one committed transaction of the ledger.",
)  # fmt: skip
COMMIT = _one(
    partial(Spread, SHORT), "ledger_commit_seconds",
    "Seconds from sending a transaction of the ledger until its commit was confirmed.",
)  # fmt: skip
LEDGER_FAILURES = _one(
    Count, "ledger_failures_total", "Transactions of the ledger that the database did not confirm, in time or at all.",
)  # fmt: skip
OPEN_CALLS = _one(Level, "open_calls", "Calls under way, as of the last second.")
SPOOLED_CALLS = _one(
    Level, "spooled_calls", "Ended calls that wait to be settled, without those in the spool of an earlier run."
)
SESSIONS = _one(Level, "websocket_sessions", "WebSocket sessions under way.")
UPSTREAM = _one(Level, "upstream_connections", "Open HTTP connections to OpenAI, idle ones included.")
WORKERS = _one(Level, "workers", "Worker processes of this gateway.")
READY = _one(
    Level, "ready_workers", "Worker processes without a reason of their own to answer /readyz with 503.",
)  # fmt: skip
REPLICA = _one(Level, "replica_workers", "Worker processes whose pages and API read the replica of DATABASE_URL_READ.")
POOL_WAITS = _many(
    Count, "database_pool_waits_total", "Requests of pages or the API that had to wait for a database connection.",
    pool=POOLS,
)  # fmt: skip
POOL_WAIT_SECONDS = _many(
    Count, "database_pool_wait_seconds_total",
    "Seconds that requests of pages or the API waited for a database connection.", pool=POOLS,
)  # fmt: skip


def count_refused(status: int) -> None:
    """Count a call that was answered with an error before it was opened."""
    CALLS["refused", status // 100].add()
