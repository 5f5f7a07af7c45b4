"""What SpendAI needs of a database that somebody brings, and how to mend what is otherwise.

Time zone, date style and encoding of a session are not asked for: each session of ours has its own (webapp/db.py).
"""

from __future__ import annotations

import psycopg

OLDEST, NEWEST = 15, 18  # major versions of Postgres that the tests run with
VERSIONS = f"SpendAI needs version {OLDEST} to {NEWEST}"
# With another value of one of these, calls or pages end in errors, or sums and rights are not what they should be.
SETTINGS = {
    "standard_conforming_strings": "on",
    "IntervalStyle": "postgres",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "row_security": "on",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
}
FOUND = """
select current_setting('server_encoding'), pg_is_in_recovery(), current_database(), current_user,
    rolcreaterole or rolsuper, has_database_privilege(current_database(), 'create')
from pg_roles where rolname = current_user
"""
# Of each of SETTINGS: its value in this session, and whether the role gives it, everywhere or in this database.
CURRENT = "select name, setting, source like '%%user' from pg_settings where name = any (%s) order by name"


def unmet(conn: psycopg.Connection) -> list[str]:
    """What is wrong with server and database for sessions such as this one, each as one sentence with what to do."""
    if (major := conn.info.server_version // 10000) < OLDEST:
        return [f"Postgres {major}: {VERSIONS}"]
    encoding, standby, name, role, _, _ = conn.execute(FOUND).fetchone()
    if standby:
        return ["this server is a standby, which takes no writes: give DATABASE_URL the address of the primary"]
    if encoding != "UTF8":
        return [f"the encoding of database {name} is {encoding}, and SpendAI needs UTF8: make another database with "
                "create database … encoding 'UTF8' template template0"]  # fmt: skip
    wrong = []
    for setting, value, of_role in conn.execute(CURRENT, [list(SETTINGS)]):
        if value != SETTINGS[setting]:
            alter = f'role "{role}" in database "{name}"' if of_role else f'database "{name}"'
            mend = f"alter {alter} set {setting} = '{SETTINGS[setting]}'"
            if setting == "default_transaction_read_only":  # whoever mends it has it too
                mend = f"begin read write; {mend}; commit"
            wrong.append(f"{setting} is {value} for role {role}, and SpendAI needs {SETTINGS[setting]}: {mend}")
    return wrong


def owner_unmet(conn: psycopg.Connection) -> list[str]:
    """``unmet``, and what the owner lacks before the first migration."""
    wrong = unmet(conn)
    if wrong or not conn.execute("select to_regclass('private.schema_files') is null").fetchone()[0]:
        return wrong
    _, _, name, role, makes_roles, makes_schemas = conn.execute(FOUND).fetchone()
    if not makes_schemas:
        wrong.append(f"role {role} may not make schemas in database {name}: log in as the database's owner")
    if not makes_roles:
        wrong.append(f'role {role} may not make the login roles of gateways: alter role "{role}" createrole')
    return wrong
