"""Fixtures of the tests of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ledgers import ledger
from people import People
from totals import EARLY, LATE, WORDS, Busy, added_up, entries, many_calls

__all__ = ["ledger"]


@pytest.fixture(scope="session")
def written_once(people_in: Callable[[str], People]) -> Busy:
    """A database with calls of every kind, which many tests read: to write them takes longer than most tests."""
    people = people_in("spendai_sums")
    with people.conn.transaction():
        ids = many_calls(people)
    found = entries(people)
    assert len(found) > 100 and len(added_up(found, EARLY, LATE, WORDS, {})) > 50
    return people, ids, found


@pytest.fixture
def busy(written_once: Busy) -> Iterator[Busy]:
    """People with calls of every kind, ids to filter by, and the bookings to add up; what a test writes is undone."""
    people, ids, found = written_once
    with people.conn.transaction(force_rollback=True):
        yield people.copy(), ids, found
