"""Analysts' own SQL logins for tests, made by the product's function."""

from __future__ import annotations

import secrets

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

CREATE = "select app.analyst_create(%s, %s, %s)"


def new_analyst(owner_dsn: str, organization: str, name: str = "Ann", *, sessions: int = 50) -> str:
    """Make a login for an organization (its name or id); its connection string.

    sessions: that it may have at once. The product allows 3; Postgres frees the place of a session some time after its
    end, so that a test that follows another at once may find none.
    """
    password = secrets.token_urlsafe(12)
    with psycopg.connect(owner_dsn) as conn:
        verifier = conn.pgconn.encrypt_password(password.encode(), b"x", b"scram-sha-256").decode()
        (role,) = conn.execute(CREATE, [organization, name, verifier]).fetchone()
        conn.execute(sql.SQL("alter role {} connection limit {}").format(sql.Identifier(role), sql.Literal(sessions)))
    return make_conninfo(owner_dsn, user=role, password=password)
