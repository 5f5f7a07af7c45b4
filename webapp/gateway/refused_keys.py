"""Counts the calls that are refused because their key was revoked, has expired, or belongs to an archived project.

So the Keys page shows that an app still uses such a key. The counts of a worker are kept in memory and written once in
SECONDS, all together: refused calls cost the database no more when they come faster. Keys that this install does not
know are not counted. Counts that were not written when the worker stops are lost.
"""

from __future__ import annotations

import logging
from collections import Counter

import gevent

from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable

log = logging.getLogger("spendai.gateway")
COUNTED = frozenset(("revoked_key", "expired_key", "archived_project"))  # outcomes of app.open_calls
SECONDS = 5.0
MOST = 10_000  # keys that are counted between two writes


class RefusedKeys:
    """The refused calls of one worker that the database has not counted yet, by the hash of their key."""

    def __init__(self) -> None:
        self.calls: Counter[bytes] = Counter()

    def count(self, ledger: Ledger, key_hash: bytes, outcome: str) -> None:
        """Count one call that was refused with this outcome of app.open_calls."""
        if outcome not in COUNTED or (len(self.calls) >= MOST and key_hash not in self.calls):
            return
        if not self.calls:
            gevent.spawn_later(SECONDS, self.write, ledger)
        self.calls[key_hash] += 1

    def write(self, ledger: Ledger) -> None:
        """Have the database count what was counted so far; counts that it does not take are written next time."""
        calls, self.calls = self.calls, Counter()
        try:
            ledger.count_refusals(calls)
        except LedgerRefused:
            log.error("refused calls could not be counted, keys: %s", len(calls))
        except LedgerUnavailable as error:
            if not error.sent:
                self._keep(ledger, calls)

    def _keep(self, ledger: Ledger, calls: Counter[bytes]) -> None:
        if not self.calls:
            gevent.spawn_later(SECONDS, self.write, ledger)
        self.calls += calls
