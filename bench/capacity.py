"""Tables of what beyond.py measured, and the arithmetic of 10,000 calls a second; each says which of both it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.gateways import Round
from bench.simulated import BATCH, Database, simulate
from bench.tables import number, table

RATE = 10_000  # calls a second
HOUR, DAY, MONTH = 3_600, 86_400, 30 * 86_400  # seconds
PAGE, LARGEST = 8_192, 2**32 * 8_192  # bytes; what one table or one index may take
CHECKPOINTS = (300, 1_800)  # seconds between checkpoints
IDS = ("usage_logs_object", "usage_logs_request")  # indexes of ids that come in no order
COMMIT = 0.001  # assumed seconds until a commit is on the disk and the standby has it
WORKERS, CORES = (4, 8, 16, 32, 64), (4, 8, 16, 32)
FREEZE_AGE, XIDS = 200_000_000, 2**31  # autovacuum_freeze_max_age; transactions after which Postgres stops


class Crowd(NamedTuple):
    """A round of many connections beside so many partitions, with that max_locks_per_transaction; None: it failed."""

    connections: int
    partitions: int
    locks: int
    round: Round | None


class Found(NamedTuple):
    """What beyond.py measured; see its functions."""

    rounds: list[Round]
    few: Round
    before: dict[str, Any]
    clean: dict[str, float]
    after: dict[str, Any]
    again: dict[str, Any]
    freeze: dict[str, float]
    standby: dict[str, Any]
    sides: list[dict[str, Any]]
    crowds: list[Crowd]

    @property
    def typical(self) -> Round:
        """The round of batches of 8."""
        return self.rounds[1]

    @property
    def ids(self) -> list[dict[str, Any]]:
        """The indexes of OpenAI's ids before the vacuum."""
        return [index for index in self.before["indexes"] if index["what"] in IDS]


def text(found: Found) -> str:
    """All tables."""
    parts = {
        "Batches": _batches, "Table and indexes": _tables, "Sums": _sums, "Many connections": _waits,
        "Many partitions": _side_by_side, "A standby": _standby, "10,000 calls a second": _rates,
        "Indexes of OpenAI's ids": _indexes_of_ids, "Workers": _workers, "Workers, simulated": _simulated,
    }  # fmt: skip
    return "\n\n".join(f"### {name}\n\n{part(found)}" for name, part in parts.items())


def line(rounds: Sequence[Round]) -> tuple[float, float]:
    """Seconds of processor time of a transaction without calls, and of each call, from smallest and largest batch."""
    small, large = rounds[0], rounds[-1]
    costs = [each.cpu / each.calls * each.batch for each in (small, large)]
    slope = (costs[1] - costs[0]) / (large.batch - small.batch)
    return costs[0] - slope * small.batch, slope


def touched(pages: float, times: float) -> float:
    """How many different pages are touched when a random one is touched so many times."""
    return pages * -math.expm1(-times / pages)


def _us(each: Round) -> str:
    """Microseconds of the server's processors for a call."""
    return number(each.cpu / each.calls * 1e6)


def _log(each: Round) -> float:
    """Bytes of log for a call, without full pages."""
    return sum(each.log.values()) / each.calls


def _disk(kept: dict[str, Any]) -> float:
    """Bytes of table and indexes for a call."""
    return (kept["table"]["table_len"] + sum(index["bytes"] for index in kept["indexes"])) / kept["calls"]


def _batches(found: Found) -> str:
    rows = [[f"{r.batch}", _us(r), number(r.calls / r.cpu), number(_log(r)), number(r.xids / r.calls * r.batch)]
            for r in found.rounds]  # fmt: skip
    head = ["calls in a batch", "µs of processor time, a call", "calls in a processor second", "bytes of log, a call",
            "transaction ids, a batch"]  # fmt: skip
    all_log = sum(found.typical.log.values())
    parts = sorted(found.typical.log.items(), key=lambda part: -part[1])[:4]
    shares = ", ".join(f"{what} {size / all_log:.0%}" for what, size in parts)
    words = f"Measured; the log without full pages. Its bytes in batches of {found.typical.batch}: {shares}."
    return f"{table(head, rows)}\n\n{words}"


def _tables(found: Found) -> str:
    states = (found.before, found.after, found.again)
    rows = [["table", *(number(kept["table"]["table_len"] / kept["calls"]) for kept in states),
             " / ".join(f"{100 - kept['table']['free_percent']:.0f}" for kept in states)]]  # fmt: skip
    for place, index in enumerate(found.before["indexes"]):
        same = [kept["indexes"][place] for kept in states]
        sizes = [number(i["bytes"] / kept["calls"]) for i, kept in zip(same, states, strict=True)]
        full = " / ".join("–" if math.isnan(i["full"]) else f"{i['full']:.0f}" for i in same)
        rows.append([f"`{index['what'].removeprefix('usage_logs_')}`", *sizes, full])
    rows.append(["all", *(number(_disk(kept)) for kept in states), ""])
    words = ("never vacuumed", "then vacuumed", "and no vacuum since")
    head = ["bytes a call", *(f"{kept['calls']:,} calls, {word}" for kept, word in zip(states, words, strict=True)),
            "pages full, %"]  # fmt: skip
    clean, freeze = ((v["cpu"] / v["calls"] * 1e6, v["log"] / v["calls"]) for v in (found.clean, found.freeze))
    words = [
        f"Measured. {found.before['table']['dead_tuple_percent']:.1f} % of the table was dead before the vacuum.",
        f"A million calls took it {clean[0]:.1f} s of processor time; it wrote {clean[1]:,.0f} bytes of log a call,",
        "nearly all of them full pages.",
        f"`vacuum (freeze)` of all calls later: {freeze[0]:.1f} s, {freeze[1]:,.0f} bytes.",
    ]
    return f"{table(head, rows)}\n\n{' '.join(words)}"


def _sums(found: Found) -> str:
    calls = found.before["calls"]
    rows = [[f"`{each['name']}`", f"{each['made']:,}", number(each["changed"] / calls),
             f"{each['hot'] / max(each['changed'], 1):.0%}", f"{each['dead']:,}", number(each["bytes"] / each["made"])]
            for each in found.before["sums"]]  # fmt: skip
    head = ["sums", "rows", "changes, a call", "of these HOT", "dead rows", "bytes a row, with indexes and dead rows"]
    return f"{table(head, rows)}\n\nMeasured after {calls:,} calls, never vacuumed."


def _waits(found: Found) -> str:
    rows = []
    for connections, partitions, locks, r in found.crowds:
        name = f"{connections}, {partitions}, {locks:,}"
        if r is None:
            rows.append([name, "", "", "refused: out of shared memory"])
            continue
        seen = sum(r.waits.values()) or 1
        row_locks = sum(n for what, n in r.waits.items() if what in ("Lock: transactionid", "Lock: tuple"))
        most = ", ".join(f"{what} {n / seen:.0%}" for what, n in r.waits.most_common(3))
        rows.append([name, _us(r), f"{row_locks / seen:.1%}", most])
    head = ["connections, partitions, `max_locks_per_transaction`", "µs a call", "waits for a row", "most often seen"]
    return f"{table(head, rows)}\n\nMeasured, batches of 8; what connections did was looked at 20 times a second."


def _side_by_side(found: Found) -> str:
    rows = [[f"{each['partitions']}", *map(_us, each["rounds"]), number(each["newcomer"]["cpu"] * 1e3),
             number(each["newcomer"]["mb"])] for each in found.sides]  # fmt: skip
    sizes = [r.batch for r in found.sides[0]["rounds"]]
    head = ["partitions", *(f"µs a call, batches of {size}" for size in sizes), "first call of a connection, ms",
            "then MB of it alone"]  # fmt: skip
    return f"{table(head, rows)}\n\nMeasured, 4 connections; the first call plans all statements."


def _standby(found: Found) -> str:
    measured, alone = found.standby, found.standby["alone"]
    sizes, late = (sorted(column) for column in zip(*measured["lags"] or [(0.0, 0.0)], strict=True))
    middle = len(sizes) // 2
    rows = [
        ["µs of the replaying process, a call", number(measured["cpu"] * 1e6)],
        [f"MB behind at {number(measured['rate'])} calls/s, median and most",
         f"{sizes[middle] / 1e6:.2f}, {sizes[-1] / 1e6:.2f}"],
        ["ms behind, median and most", f"{late[middle] * 1e3:,.0f}, {late[-1] * 1e3:,.0f}"],
        ["replay of calls made while it was paused, calls/s", number(alone["calls"] / alone["seconds"])],
        ["the same, MB of log a second", number(alone["log"] / alone["seconds"] / 1e6)],
        ["the same, µs of the replaying process, a call", number(alone["cpu"] / alone["calls"] * 1e6)],
    ]  # fmt: skip
    share = RATE * alone["cpu"] / alone["calls"]
    words = (
        f"Measured. Computed: {RATE:,} calls/s take {share:.0%} of the core of the one process that replays, as long as"
    )
    return f"{table(['a standby on the same machine', ''], rows)}\n\n{words} the pages it changes are in memory."


def _rates(found: Found) -> str:
    log, disk = _log(found.typical), _disk(found.before)
    vacuums = [sum(v[what] / v["calls"] for v in (found.clean, found.freeze)) for what in ("log", "cpu")]
    heap = found.before["table"]["table_len"] / found.before["calls"]
    rows = [
        ["rows", "1", f"{RATE * DAY / 1e6:,.0f} million a day, {RATE * MONTH / 1e9:,.1f} billion a month"],
        ["log of opening and settling", f"{log:,.0f} bytes",
         f"{log * RATE / 1e6:,.0f} MB/s, {log * RATE * DAY / 1e12:,.1f} TB a day"],
        ["log of one vacuum and one freeze", f"{vacuums[0]:,.0f} bytes",
         f"{vacuums[0] * RATE / 1e6:,.0f} MB/s, {vacuums[0] * RATE * DAY / 1e12:,.1f} TB a day"],
        ["table and indexes", f"{disk:,.0f} bytes",
         f"{disk * RATE * DAY / 1e12:,.2f} TB a day, {disk * RATE * MONTH / 1e12:,.0f} TB a month"],
        ["table alone", f"{heap:,.0f} bytes",
         f"a month is {heap * RATE * MONTH / LARGEST:.0%} of the largest table (35 TB)"],
        ["one vacuum and one freeze", f"{vacuums[1] * 1e6:.1f} µs", f"{vacuums[1] * RATE:.2f} cores on average"],
    ]  # fmt: skip
    for index in found.before["indexes"]:
        if index["bytes"] / found.before["calls"] > 20:
            size = index["bytes"] / found.before["calls"]
            name, daily = index["what"].removeprefix("usage_logs_"), size * RATE * DAY / 1e9
            levels = [math.ceil(math.log(RATE * span, PAGE / size)) for span in (DAY, MONTH)]
            words = f"{daily:,.0f} GB and {levels[0]} levels a day, {levels[1]} levels a month"
            rows.append([f"`{name}`", f"{size:.0f} bytes", words])
    return table([f"computed, {RATE:,} calls/s", "a call (measured)", "at that rate"], rows)


def _indexes_of_ids(found: Found) -> str:
    rows = []
    for name, seconds in (("an hour", HOUR), ("a day", DAY), ("a month", MONTH)):
        size = sum(index["bytes"] for index in found.ids) / found.before["calls"] * RATE * seconds
        cells = [f"{size / 1e9:,.1f} GB"]
        for checkpoint in CHECKPOINTS:
            pages = touched(size / 2 / PAGE, 2 * RATE * checkpoint)  # half as large in the middle of its time
            cells.append(f"{pages * PAGE * found.ids[0]['full'] / 100 / checkpoint / 1e6:,.0f} MB/s")
        rows.append([name, *cells])
    head = ["computed: partition of", "both indexes at its end",
            *(f"full pages, a checkpoint every {c // 60} min" for c in CHECKPOINTS)]  # fmt: skip
    calls, written = found.few.calls, found.few.pages["Btree"]
    expected = sum(touched(i["bytes"] / PAGE, calls) * PAGE * i["full"] / 100 for i in found.ids)
    words = "Of p pages, n calls touch p × (1 − e^(−n/p)), at random. Tried: for"
    words += f" {calls} calls after a checkpoint it gives {expected / 1e6:.1f} MB of full pages of these indexes"
    return f"{table(head, rows)}\n\n{words}; measured {written / 1e6:.1f} MB of all indexes."


def _workers(found: Found) -> str:
    once, each = line(found.rounds)
    ids = found.typical.xids / found.typical.calls * found.typical.batch
    rows = []
    for workers in WORKERS:
        rate = RATE / workers
        # As many calls come during a transaction as the next one takes: batch = rate x (once + COMMIT + each x batch).
        batch = max(1.0, rate * (once + COMMIT) / (1 - rate * each)) if rate * each < 1 else math.inf
        if batch > BATCH:
            rows.append([f"{workers}", number(rate), "too many", "", "", ""])
            continue
        transactions = RATE / batch
        days = [count / transactions / ids / DAY for count in (FREEZE_AGE, XIDS)]
        rows.append([f"{workers}", number(rate), number(batch), number(transactions),
                     f"{transactions * once + RATE * each:.1f}", f"{days[0]:.1f}, {days[1]:.0f}"])  # fmt: skip
    head = ["computed: workers", "calls/s of each", "calls in a batch", "transactions/s", "cores of Postgres",
            "days until freezing, until all ids are used"]  # fmt: skip
    return (
        f"{table(head, rows)}\n\nFrom the first table: a transaction takes {once * 1e6:,.0f} µs of processor time and "
        f"{each * 1e6:,.0f} µs for each of its calls. Assumed: {COMMIT * 1e3:.0f} ms for its commit."
    )


def _simulated(found: Found) -> str:
    return simulations(*line(found.rounds))


def simulations(once: float, each: float) -> str:
    """What a message waits until it is committed, with so many workers and cores of Postgres."""
    rows = []
    for workers in WORKERS:
        found = [simulate(RATE, workers, Database(cores, once, each, COMMIT)) for cores in CORES]
        rows.append([f"{workers}", *(f"{number(s.batch)}, {number(s.p50)} / {number(s.p99)}" for s in found)])
    head = ["simulated: workers", *(f"{cores} cores of Postgres" for cores in CORES)]
    return f"{table(head, rows)}\n\nCalls in a batch, and ms until a message is committed (p50 / p99)."
