"""Describes the machine of a measurement: its kind and versions, never its name."""

from __future__ import annotations

import os
import platform
import re
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

from webapp.postgres.programs import find_bindir, major


def facts() -> str:
    """One line: date, cores, processor, kernel, Python, Postgres."""
    cpu, memory = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    model = re.search(r"^model name\s*: (.+)$", cpu.read_text(), re.M) if cpu.exists() else None
    kilobytes = re.search(r"^MemTotal:\s+(\d+)", memory.read_text(), re.M) if memory.exists() else None
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"{os.cpu_count()} cores ({model[1] if model else platform.machine()})",
        f"{int(kilobytes[1]) / 1e6:.0f} GB" if kilobytes else "",
        f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        f"Python {platform.python_version()}{' (compiled without optimization)' if is_plain_build() else ''}",
        f"Postgres {major(find_bindir())}",
    ]
    return ", ".join(part for part in parts if part)


def is_plain_build() -> bool:
    """Whether Python was compiled without profile-guided optimization, as pyenv does it by default.

    Only what is certain counts: some systems, such as Debian, do not tell how they compiled theirs.
    """
    told = "profile-use" in (sysconfig.get_config_var("PGO_PROF_USE_FLAG") or "")
    return told and "--enable-optimizations" not in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def busy() -> str:
    """A warning when other programs use the machine, or an empty text; to be called before the measurement starts."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load < cores / 4:
        return ""
    return (
        f"Other programs used the machine too: its load was {load:.1f} on {cores} cores before the start. "
        "Wall times of this run say little."
    )


def versions(found: dict[str, str]) -> str:
    """Names with their versions, for those that have one."""
    return ", ".join(f"{name} {version}" for name, version in found.items() if version)
