"""The checks of ``flask doctor`` that come first: where one fails, SpendAI cannot use the server or database at all."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.postgres import needs


def version(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    major = conn.info.server_version // 10000
    if needs.OLDEST <= major <= needs.NEWEST:
        yield Line("ok", f"Postgres {major}")
    else:
        yield Line("fail", f"Postgres {major}: {needs.VERSIONS}")


def settings(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """As the owner finds them; ``roles`` in doctor.py asks the gateway's roles, which may have others."""
    wrong = needs.unmet(conn)
    yield from (Line("fail", text) for text in wrong)
    if not wrong:
        yield Line("ok", "encoding and settings of the database are as needed")


def loaded(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether ``flask migrate`` has ever run here; ``migrated`` in doctor.py asks whether it has to run again."""
    if conn.execute("select to_regnamespace('app') is null").fetchone()[0]:
        yield Line("fail", "SpendAI is not in this database yet: run flask migrate with the SECRET_KEY of the gateways")


CHECKS: tuple[Check, ...] = (version, settings, loaded)
