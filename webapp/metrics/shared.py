"""Numbers in memory that all workers of a gateway share, so that any of them can add up what all have counted.

Every worker writes its own row of numbers. The master gives out the rows before it forks. When a worker has ended, its
gauges become 0, and the next worker goes on counting in its row: nothing that was counted is lost, and nothing grows
with the number of restarts. Only one greenlet of a worker runs at a time, so no lock is needed.

Why not the multiprocess mode of prometheus_client: it maps a file for each kind of metric and worker and keeps the
files of workers that have ended. What this gains, measured (`.venv/bin/python bench/metrics.py`): the counting of one
call takes 0.6 µs instead of 7.4 µs.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable

ROWS, CELLS = 512, 512  # rows: as many as WORKERS may be, twice, because a reload starts workers before others end
_memory = memoryview(mmap.mmap(-1, 8 * ROWS * CELLS)).cast("d")  # untouched rows take no memory
_taken: set[int] = set()  # rows of living workers; known to the master only
_used = 0  # cells that have a meaning
_gauges: list[int] = []  # cells that are those of a gauge


class Row:
    """The row that this process writes: ``cells``."""

    cells = _memory[:CELLS]


def take() -> int:
    """Called in the master: a row for a new worker. When all are taken: the last, where counts may be lost."""
    row = next((row for row in range(ROWS) if row not in _taken), ROWS - 1)
    _taken.add(row)
    return row


def use(row: int) -> None:
    """Called in a worker: this process writes this row from now on."""
    Row.cells = _memory[row * CELLS : (row + 1) * CELLS]


def free(row: int) -> None:
    """Called in the master when a worker has ended: its gauges become 0, another worker may get its row."""
    for cell in _gauges:
        _memory[row * CELLS + cell] = 0.0
    _taken.discard(row)


def total(cell: int) -> float:
    """A cell of all rows together."""
    return sum(_memory[cell : ROWS * CELLS : CELLS])


def _new_cells(count: int) -> int:
    """The first of so many unused cells. Every process must ask for the same cells in the same order."""
    global _used
    first, _used = _used, _used + count
    assert _used <= CELLS, "more metrics than a row has cells"
    return first


class Count:
    """A number that only grows."""

    def __init__(self) -> None:
        self._cell = _new_cells(1)

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        Row.cells[self._cell] += amount

    def value(self) -> float:
        """What all workers have counted."""
        return total(self._cell)


class Level:
    """A number that goes up and down: of this worker when it is set, of all workers when it is read."""

    def __init__(self) -> None:
        self._cell = _new_cells(1)
        _gauges.append(self._cell)

    def set(self, value: float) -> None:
        """What it is now, in this worker."""
        Row.cells[self._cell] = value

    def value(self) -> float:
        """What it is in all workers together."""
        return total(self._cell)


class Spread:
    """How often a measured value was at most 0.001, 0.002, …; bounds: these limits, in ascending order."""

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = tuple(map(float, bounds))
        self._first = _new_cells(len(self.bounds) + 2)  # one for each bound, one for what is above, one for the sum
        self._sum = self._first + len(self.bounds) + 1

    def observe(self, value: float) -> None:
        """Count one measured value."""
        cells = Row.cells
        cells[self._first + bisect_left(self.bounds, value)] += 1.0
        cells[self._sum] += value

    def value(self) -> tuple[list[tuple[str, float]], float]:
        """Of all workers: (upper bound, how many values were at most that) for each bound and +Inf, and their sum."""
        found, counted = [], 0.0
        for place, bound in enumerate([*map(str, self.bounds), "+Inf"]):
            counted += total(self._first + place)
            found.append((bound, counted))
        return found, total(self._sum)
