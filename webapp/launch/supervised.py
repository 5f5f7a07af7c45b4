"""Parts of a running SpendAI, Postgres and the gateway, that are started again when they end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import psycopg

from webapp.postgres.programs import ClusterError, say

SHORT_LIFE = 5  # seconds; a part that ends sooner after its start waits longer and longer before the next start
LONGEST_WAIT = 30  # seconds of waiting at most


class Running(Protocol):
    """What the start function of a Part returns."""

    def alive(self) -> bool: ...

    def stop(self) -> None: ...


class Part:
    """A part that must run. name: for messages; start: starts it, and may raise ClusterError, OSError or psycopg.Error.

    When it ends it is started again at once; when it keeps ending soon after its start, after longer and longer waits.
    """

    def __init__(self, name: str, start: Callable[[], Running]) -> None:
        self.name, self.start = name, start
        self.running: Running | None = None
        self.since = self.due = 0.0
        self.short_lives = 0

    def begin(self) -> None:
        """Start it; raises what ``start`` raises."""
        self.since = time.monotonic()
        self.running = self.start()

    def look(self) -> None:
        """Start it again if it has ended and its wait is over. To be called several times a second."""
        if self.running:
            if self.running.alive():
                return
            self.running.stop()
            self.running = None
            self._postpone("ended")
        if time.monotonic() >= self.due:
            try:
                self.begin()
            except (ClusterError, OSError, psycopg.Error) as error:
                self._postpone(f"did not start ({error})")

    def _postpone(self, what: str) -> None:
        now = time.monotonic()
        self.short_lives = self.short_lives + 1 if now - self.since < SHORT_LIFE else 0
        wait = min(2.0 ** (self.short_lives - 3), LONGEST_WAIT) if self.short_lives > 1 else 0
        self.due = now + wait
        say(f"{self.name} {what}; starting it again" + (f" in {wait:g} s" if wait else ""))

    def stop(self) -> None:
        if self.running:
            self.running.stop()
