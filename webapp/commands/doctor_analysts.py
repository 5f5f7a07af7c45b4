"""Checks of `flask doctor` on what analysts with SQL logins could learn of other organizations or do to the server."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.postgres import embedded
from webapp.written import many

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
READS_VERIFIERS = "select has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'select')"
# Weaker than what `flask analyst add` makes: an MD5 verifier, or SCRAM with fewer rounds than Postgres' own 4,096.
WEAK = r"""
select l.role_name from private.analyst_logins l join pg_catalog.pg_authid a on a.rolname = l.role_name
where a.rolpassword not like 'SCRAM-SHA-256$%' or substring(a.rolpassword, '^SCRAM-SHA-256\$(\d+):')::bigint < 4096
order by 1
"""
# Logins whose next password, sent as text, would be stored as MD5: by their own setting, else by the server's.
MD5_NEXT = """
select l.role_name from private.analyst_logins l join pg_catalog.pg_roles r on r.rolname = l.role_name
where coalesce((select split_part(s, '=', 2) from unnest(r.rolconfig) s where s like 'password_encryption=%'),
    (select reset_val from pg_catalog.pg_settings where name = 'password_encryption')) <> 'scram-sha-256'
order by 1
"""
LOGINS = "select count(*) from private.analyst_logins"
# Transactions that analysts have prepared in this database; of a login that was removed the owner is null.
PREPARED = """
select coalesce(owner, 'a removed login'), quote_literal(gid) from pg_catalog.pg_prepared_xacts
where database = current_database() and (owner is null or owner in (select role_name from private.analyst_logins))
order by prepared
"""


def statistics(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether tables that people read have statistics, which EXPLAIN tells to members of other organizations too."""
    (columns,) = conn.execute(STATISTICS).fetchone()
    if not columns:
        yield Line("ok", "the planner has no statistics of tables that people read")
    elif conn.info.server_version >= 180000:
        yield Line(
            "warn", f"EXPLAIN tells statistics of {many(columns, 'column')} to all organizations: run flask migrate"
        )
    else:
        statement = " ".join(DELETE.split())
        yield Line("warn", f"EXPLAIN tells statistics of {many(columns, 'column')}, which an earlier version of "
                   f"SpendAI let Postgres collect, to all organizations: as a superuser, run {statement}")  # fmt: skip


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


def passwords(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether a stolen verifier of an analyst's password is easier to guess than those of `flask analyst add`.

    Verifiers can be read by superusers and members of pg_read_all_data. How long a password is, none of them tells.
    """
    if conn.execute(LOGINS).fetchone() == (0,):
        return
    (readable,) = conn.execute(READS_VERIFIERS).fetchone()
    weak = [role for (role,) in conn.execute(WEAK)] if readable else []
    yield from (Line("warn", f"{role} set a password of a weaker kind than flask analyst add makes: remove the login "
                     f"(flask analyst remove {role}) and make a new one") for role in weak)  # fmt: skip
    yield from (Line("warn", f"{role} would get an MD5 password: alter role {role} set password_encryption = "
                     "'scram-sha-256';") for (role,) in conn.execute(MD5_NEXT))  # fmt: skip
    if readable and not weak:
        yield Line("ok", "analysts' passwords are kept as SCRAM verifiers")


def prepared(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether analysts can prepare transactions. These belong to no session: nothing of SpendAI can end them."""
    found = conn.execute(PREPARED).fetchall()
    (most,) = conn.execute("select current_setting('max_prepared_transactions')::integer").fetchone()
    if most and (found or conn.execute(LOGINS).fetchone() != (0,)):
        yield Line("warn", f"max_prepared_transactions is {most}: a transaction that an analyst prepares keeps its "
                   "locks for good, also after a restart, and holds up flask migrate, flask retention and vacuum. "
                   "Unless another program needs it: as a superuser, run alter system set max_prepared_transactions "
                   "= 0, and restart Postgres when none is left")  # fmt: skip
    yield from (Line("warn", f"{role} has prepared a transaction: as a superuser, run rollback prepared {gid}; in this "
                     "database") for role, gid in found)  # fmt: skip


CHECKS: tuple[Check, ...] = (statistics, limits, passwords, prepared)
