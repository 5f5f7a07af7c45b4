"""Who gets the next connection of a pool: no one person takes all of them, and no organization that is not alone.

A worker has three connections for pages and the API, and a report of very many rows keeps one for up to half a minute.
Without a bound, three such reports would shut everybody else out.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg_pool import PoolTimeout

REMEMBERED = 4096  # people whose organization is remembered


class Turns:
    """The turns at one pool of ``size`` connections."""

    def __init__(self, size: int) -> None:
        self._share = max(size - 1, 1)  # what one person may hold, and one of several organizations
        self._held, self._changed = Counter[str](), threading.Condition()
        self._organization_of: dict[str, str] = {}
        self._several = False  # whether people of more than one organization have used the pool

    @contextmanager
    def turn(self, person: str, seconds: float) -> Iterator[None]:
        """Wait until this person may take a connection. Raises PoolTimeout after so many seconds."""
        with self._changed:
            organization = self._organization_of.get(person)
            if not self._changed.wait_for(lambda: self._may(person, organization), seconds):
                raise PoolTimeout(f"others need the connections that are left, after {seconds:.2f} sec")
            holders = [person, organization] if organization else [person]
            self._held.update(holders)
        try:
            yield
        finally:
            with self._changed:
                self._held.subtract(holders)
                self._held += Counter()  # drops those that hold nothing
                self._changed.notify_all()

    def knows(self, person: str) -> bool:
        """Whether this person's organization is remembered."""
        return person in self._organization_of

    def remember(self, person: str, organization: str) -> None:
        """Count this person's connections for this organization too, from the next one on.

        Somebody who changes to another organization goes on counting for the one before: that only moves the bound.
        """
        self._several |= organization not in self._organization_of.values() and bool(self._organization_of)
        if len(self._organization_of) >= REMEMBERED:
            del self._organization_of[next(iter(self._organization_of))]
        self._organization_of[person] = organization

    def _may(self, person: str, organization: str | None) -> bool:
        beside_others = organization is not None and self._several
        return self._held[person] < self._share and not (beside_others and self._held[organization] >= self._share)
