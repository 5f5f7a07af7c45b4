"""CPU seconds and memory of a process and all its descendants, read from /proc."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name: 0 state, 1 parent, 11 to 14 ticks of CPU (own and ended children's)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """A process and all its living descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(entry.name)] = int(_stat(int(entry.name))[1])
    found, edge = [root], [root]
    while edge:
        edge = [pid for pid, parent in parents.items() if parent in edge]
        found += edge
    return found


def cpu_seconds(pids: list[int]) -> float:
    """CPU time so far, with that of ended children. What a period cost is the difference of two values."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            ticks += sum(int(field) for field in _stat(pid)[11:15])
    return ticks / TICKS


def memory_mb(pids: list[int]) -> float:
    """Proportional set size in MB: pages that processes share count once. Resident size where the kernel hides it."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(text.partition("\nPss:")[2].split()[0])
            except PermissionError:
                text = Path(f"/proc/{pid}/status").read_text()
                total += int(text.partition("VmRSS:")[2].split()[0])
    return total / 1000


def end(process: subprocess.Popen[bytes], seconds: float = 15) -> None:
    """Send SIGTERM to a process that leads its own session; when it ended, or after ``seconds``, kill all its group."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(seconds)
