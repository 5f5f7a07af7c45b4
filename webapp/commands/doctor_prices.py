"""Checks of `flask doctor` on the price list: how old it is, and whether models without a price are in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
from psycopg.rows import dict_row

from webapp.commands.doctor_line import Check, Line
from webapp.config import Config

AGE = "select * from app.price_list_age(%s)"
UNPRICED = "select model, calls from app.unpriced_lately(%s)"
NAMED = 3  # models that a line names


def price_list(config: Config, conn: psycopg.Connection, now: datetime | None = None) -> Iterator[Line]:
    """Whether the list is old; now: the moment to look from, else this one."""
    with conn.cursor(row_factory=dict_row) as cursor:
        age = cursor.execute(AGE, [now or datetime.now(UTC)]).fetchone()
    if age is None or age["as_of"] is None:
        yield Line("fail", "no price list is loaded: run flask migrate")
        return
    said = f"the price list is of {age['as_of']}"
    if age["synced_at"]:
        said += f", compared with its sources on {age['synced_at']:%Y-%m-%d}"
    if age["stale"]:
        yield Line("warn", f"{said}: run flask prices sync --fetch, then flask prices reprice-new")
    else:
        yield Line("ok", said)


def unpriced(config: Config, conn: psycopg.Connection, now: datetime | None = None) -> Iterator[Line]:
    """Models of the last seven days whose calls have no cost."""
    found = conn.execute(UNPRICED, [now or datetime.now(UTC)]).fetchall()
    if found:
        names = ", ".join(str(model) for model, _ in found[:NAMED]) + (", …" if len(found) > NAMED else "")
        yield Line("warn", f"called in the last 7 days without a price: {names}. Run "
                   "flask prices sync --fetch, then flask prices reprice-new")  # fmt: skip
    else:
        yield Line("ok", "every model of the last 7 days has a price")


CHECKS: tuple[Check, ...] = (price_list, unpriced)
