"""Ann, an analyst of Acme with an SQL login of her own, who tries what she has no right to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from isolation.world import World
from psycopg.rows import dict_row

ORGANIZATIONS = "select string_agg(distinct org_id::text, ' ') as orgs from public.usage_logs"


@pytest.fixture
def ann(everyone: World) -> Iterator[psycopg.Connection]:
    """A session of Ann's, who has switched read-only off."""
    with psycopg.connect(everyone["ann"].dsn, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set default_transaction_read_only = off")
        yield conn


def refused(conn: psycopg.Connection, statement: str, *sqlstates: str) -> str:
    """Assert that a statement fails for want of rights (or with one of these SQLSTATEs); the message."""
    with pytest.raises(psycopg.Error) as raised:
        conn.execute(statement)
    assert raised.value.sqlstate in (sqlstates or ("42501",)), f"{statement}: {raised.value}"
    return str(raised.value)


def only_acme(everyone: World, conn: psycopg.Connection) -> bool:
    return conn.execute(ORGANIZATIONS).fetchone()["orgs"] == str(everyone.acme)


def value(conn: psycopg.Connection, query: str) -> object:
    return next(iter(conn.execute(query).fetchone().values()))


@contextmanager
def made(everyone: World, statement: str, undo: str) -> Iterator[None]:
    """An object that the owner creates for the length of a test."""
    everyone.owner.execute(statement)
    try:
        yield
    finally:
        everyone.owner.execute(undo)
