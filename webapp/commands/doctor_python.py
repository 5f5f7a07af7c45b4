"""The check of ``flask doctor`` on the Python that runs SpendAI."""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Iterator

import psycopg

from webapp.commands.doctor_home import Check, Line
from webapp.config import Config


def is_plain_build() -> bool:
    """Whether Python was compiled without profile-guided optimization, as pyenv does it by default.

    Only what is certain counts: some systems, such as Debian, do not tell how they compiled theirs.
    """
    told = sysconfig.get_config_var("PGO_PROF_USE_FLAG") is not None
    return told and "--enable-optimizations" not in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def python(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    version = platform.python_version()
    if is_plain_build():
        yield Line("warn", f"Python {version} was compiled without optimization, so that each call takes more "
                   "processor time: docs/deploy.md says which to use")  # fmt: skip
    else:
        yield Line("ok", f"Python {version}")


CHECKS: tuple[Check, ...] = (python,)
