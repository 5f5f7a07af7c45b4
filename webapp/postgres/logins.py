"""The passwords of the gateway's login roles: which of them have to be set, and setting one.

A role belongs to the whole server. What private.schema_files remembers, a hash of role and password, therefore does not
tell whether the password is still the role's: a second installation on that server, or an administrator, may have set
another. So it is tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

CONNECT_SECONDS = 5


def unset(conn: psycopg.Connection, passwords: Mapping[str, str], applied: Mapping[str, str]) -> Iterator[str]:
    """Login roles that cannot log in with their password; conn: the owner's.

    passwords: role → password; applied: what private.schema_files remembers, path → hash.
    """
    may_login = {role for (role,) in conn.execute("select rolname from pg_roles where rolcanlogin")}
    for role, password in passwords.items():
        known = role in may_login and applied.get(path(role)) == mark(role, password)
        if not known or _refused(conn, role, password):
            yield role


def path(role: str) -> str:
    """Where private.schema_files has the mark of a role."""
    return f"role/{role}"


def mark(role: str, password: str) -> str:
    """What private.schema_files remembers of a password."""
    return hashlib.sha256(f"{role}\n{password}".encode()).hexdigest()


def let_in(conn: psycopg.Connection, role: str, password: str) -> None:
    """Allow a role to log in with this password. The server gets its SCRAM verifier, never the password."""
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    conn.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(verifier)))


def user_of(role: str, owner: str | None) -> str:
    """The name with which a role logs in; owner: that of the database's owner.

    Supabase's pooler expects the project's reference after each name: role.reference.
    """
    _, dot, reference = (owner or "").partition(".")
    return role + dot + reference


def _refused(conn: psycopg.Connection, role: str, password: str) -> bool:
    """Whether the server says that this is not the role's password; a connection that fails otherwise tells nothing."""
    mine = {"user": user_of(role, conn.info.user), "password": password, "connect_timeout": CONNECT_SECONDS}
    try:
        psycopg.connect(**conn.info.get_parameters() | mine).close()
    except psycopg.OperationalError as error:
        return "password" in str(error)
    return False
