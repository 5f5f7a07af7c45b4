"""What a caller is told of an error of the database: what happened, and whether to try again."""

from __future__ import annotations

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from webapp.errors import from_database

AWAY = "The database cannot be reached right now"
BUSY = "The database cannot do this right now"
SLOW = "The database took too long to answer"


def raised(db: psycopg.Connection, state: str) -> psycopg.Error:
    """The error of a statement that ends with this SQLSTATE, as psycopg raises it."""
    with pytest.raises(psycopg.Error) as error, db.transaction():
        db.execute(f"do $$ begin raise sqlstate '{state}' using message = 'canary', detail = 'canary'; end $$")
    return error.value


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("57P01", AWAY), ("08006", AWAY), ("57014", SLOW), ("53100", BUSY), ("53300", BUSY), ("55P03", BUSY),
        ("40P01", BUSY), ("40001", BUSY), ("25006", BUSY),
    ],
)  # fmt: skip
def test_only_a_database_that_is_away_cannot_be_reached(db: psycopg.Connection, state: str, message: str) -> None:
    told = from_database(raised(db, state))
    assert (told.status, told.code, told.message) == (503, "database_unavailable", message)
    assert "canary" not in str(told.body()) and "ry again" in told.hint


def test_no_connection_in_time_is_a_database_that_cannot_be_reached() -> None:
    assert from_database(PoolTimeout("no connection")).message == AWAY


@pytest.mark.parametrize(
    ("state", "status"),
    [("42501", 403), ("22023", 400), ("23503", 409), ("23505", 409), ("23514", 500), ("P0001", 500)],
)
def test_other_errors_keep_their_text_to_themselves(db: psycopg.Connection, state: str, status: int) -> None:
    told = from_database(raised(db, state))
    assert told.status == status and "canary" not in str(told.body())
