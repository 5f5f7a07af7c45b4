"""Checks of `flask doctor` on what analysts with SQL logins could learn of other organizations or do to the server."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from webapp.commands.doctor_home import Check, Line
from webapp.config import Config
from webapp.postgres import embedded

# The database's owner sees pg_stats of all tables; for others row security hides it.
STATISTICS = r"""
select count(*) from pg_stats
where schemaname = 'public' or schemaname = 'private' and tablename ~ '^usage_logs_\d{4}_\d\d'
"""
DELETE = r"""
delete from pg_catalog.pg_statistic where starelid in (
select oid from pg_catalog.pg_class where relnamespace = 'public'::regnamespace
or relnamespace = 'private'::regnamespace and relname ~ '^usage_logs_\d{4}_\d\d')
"""
LOGINS = "select count(*) from private.analyst_logins"


def statistics(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether tables that people read have statistics, which EXPLAIN tells to members of other organizations too."""
    (columns,) = conn.execute(STATISTICS).fetchone()
    if not columns:
        yield Line("ok", "the planner has no statistics of tables that people read")
    elif conn.info.server_version >= 180000:
        yield Line("warn", f"EXPLAIN tells statistics of {columns} columns to all organizations: run flask migrate")
    else:
        statement = " ".join(DELETE.split())
        yield Line("warn", f"EXPLAIN tells statistics of {columns} columns, which an earlier version of SpendAI let "
                   f"Postgres collect, to all organizations: as a superuser, run {statement}")  # fmt: skip


def limits(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether a superuser has limited what analysts can do to the server (db/superuser.sql)."""
    if conn.execute(LOGINS).fetchone() == (0,):
        return
    missing = embedded.limits(conn)
    if not missing:
        yield Line("ok", "analysts' logins are limited in what they can do to the server")
        return
    yield Line("warn", "analysts' logins can fill the lock table and the disk of the server, which stops all calls: as "
               f"a superuser, run the {len(missing)} statements below in this database. Where you have no superuser, "
               "give such logins only to people whom you trust with the server (docs/security.md)")  # fmt: skip
    for statement in missing:
        yield Line("warn", f"{statement};")


CHECKS: tuple[Check, ...] = (statistics, limits)
