"""What a worker knows of the read replica: whether it may be used, and as of which moment it answers.

Once a second each worker asks the primary how far it has written its log, and the replica how far it has replayed it.
The latest moment whose position the replica has replayed is the one *as of* which it answers: it has everything that
was committed before. No clock but this machine's is needed, and a database in which nothing happens never lags.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg

from webapp import db
from webapp.config import Config
from webapp.postgres import migrations

log = logging.getLogger("spendai")
FAR = timedelta(seconds=60)  # a replica that is further behind is not used
CONNECT_SECONDS = 2  # for a connection; of several servers, for each
ANSWER_SECONDS = 2.0  # for the answer of a server to a look
KEPT = 300  # looks at the primary that are remembered
STATE = "select cluster, is_replica, wal_position, schema_version from app.server_state()"
NO_FUNCTION = ("3F000", "42883", "42501")  # SQLSTATEs of a database without app.server_state
NOT_YET = "has not replayed yet what the primary had written when it was first asked"
FAR_BEHIND = f"is more than {FAR.total_seconds():.0f} s behind"
BEHIND = (NOT_YET, FAR_BEHIND)  # problems of a replica that is the right one


class Server(NamedTuple):
    """A row of app.server_state, with the position as a number."""

    cluster: str
    is_replica: bool
    position: int
    schema_version: str


def number(position: str) -> int:
    """A position of the write-ahead log, 0/16EF7F8, as a number that can be compared."""
    high, low = position.split("/")
    return int(high, 16) << 32 | int(low, 16)


class Probe:
    """A connection of its own to one server, so that a look never waits for what pages do."""

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._conn: psycopg.Connection | None = None

    def ask(self) -> Server | str:
        """The server's state; or in words why there is none, without anything secret."""
        try:
            if self._conn is None:
                self._conn = db.WatchedConnection.connect(
                    self._dsn(),
                    autocommit=True,
                    connect_timeout=CONNECT_SECONDS,
                    prepare_threshold=None,
                    application_name="spendai replica",
                )
                self._conn.answer_seconds = ANSWER_SECONDS
            cluster, is_replica, position, version = self._conn.execute(STATE).fetchone()
        except psycopg.Error as error:
            self.close()
            return why(error)
        return Server(cluster, is_replica, number(position), version or "")

    def close(self) -> None:
        """Close the connection; the next question opens another, perhaps to another server."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def why(error: psycopg.Error) -> str:
    """Why a server told no state, as the words that follow "DATABASE_URL_READ"."""
    if error.sqlstate in NO_FUNCTION:
        return "leads to a database without app.server_state: another one, or it has not replayed flask migrate yet"
    if isinstance(error, psycopg.OperationalError):
        return f"cannot be reached ({db.in_one_line(error)})"
    return f"cannot be asked (SQLSTATE {error.sqlstate})"


class Replica:
    """What is known of the replica. problem: why it is not used, empty while it is. as_of: the moment as of which it
    answers. primary_answers: whether the primary answered the last look, on the open connection or else on a new one.
    """

    def __init__(self, primary: Probe, replica: Probe) -> None:
        self._primary, self._replica = primary, replica
        self._newest, self._cluster = migrations.newest(), ""
        self._seen: deque[tuple[datetime, int]] = deque(maxlen=KEPT)  # when the primary was where, oldest first
        self._said: str | None = None
        self.problem, self.primary_answers = "was not asked yet", True
        self.as_of = datetime.min.replace(tzinfo=UTC)

    @classmethod
    def of(cls, config: Config) -> Replica:
        """The replica of DATABASE_URL_READ beside its primary, both asked as spendai_auth."""
        primary = Probe(lambda: db.dsn(config, "spendai_auth"))
        return cls(primary, Probe(lambda: db.dsn(config, "spendai_auth", read=True)))

    def look(self) -> None:
        """``check``, and log a line when the replica begins or ceases to be used."""
        self.check()
        kind = self.problem.partition(" (")[0]  # what libpq says of one outage changes while it lasts
        if kind != self._said:
            self._said = kind
            if kind:
                log.warning("DATABASE_URL_READ %s: pages and the API read the primary", self.problem)
            else:
                log.info("DATABASE_URL_READ is in use: pages and the API read the replica")

    def check(self) -> None:
        """Ask both servers, and judge whether the replica may be used."""
        before, primary = datetime.now(UTC), self._primary.ask()
        if isinstance(primary, str) and self.primary_answers:  # a closed connection or one slow answer is no outage
            before, primary = datetime.now(UTC), self._primary.ask()
        self.primary_answers = isinstance(primary, Server)
        if isinstance(primary, Server):
            self._cluster = primary.cluster
            self._seen.append((before, primary.position))
        found = self._replica.ask()
        if isinstance(found, Server) and not found.is_replica:
            self._replica.close()
        self.problem = self._judged(found)

    def _judged(self, found: Server | str) -> str:
        """Why the replica must not be used, or nothing."""
        if isinstance(found, str):
            return found
        if self._cluster and found.cluster != self._cluster:
            return "leads to a server that is no copy of DATABASE_URL's (their system identifiers differ)"
        if not found.is_replica and self.primary_answers:  # while the primary is away, this may be the next one
            return "leads to a server that is no replica: it was promoted, or is the primary itself"
        if found.schema_version < self._newest:
            return f"has an older schema than this gateway ({found.schema_version})"
        return self._lag(found.position)

    def _lag(self, position: int) -> str:
        """Set as_of; why a replica that has replayed as far as this position must not be used, or nothing."""
        seen = self._seen
        while len(seen) > 1 and seen[1][1] <= position:
            seen.popleft()
        if not seen:
            return "cannot be compared with the primary, which has not answered yet"
        if seen[-1][0] - seen[0][0] > FAR:
            return FAR_BEHIND
        if seen[0][1] > position:
            return NOT_YET
        self.as_of = seen[0][0]
        return ""

    def close(self) -> None:
        """Close both connections."""
        self._primary.close()
        self._replica.close()
