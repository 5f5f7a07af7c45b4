"""Transactions that only read, on the replica where that may answer, else on the primary.

A person who changed something reads the primary until the replica has replayed what was written then
(``app.change_note``). While the replica cannot be used, everybody reads the primary. While the primary is away, who is
asking is looked up on the replica too (``identify``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from webapp import db
from webapp.config import Config
from webapp.replica.servers import ANSWER_SECONDS, BEHIND, CONNECT_SECONDS, Replica

log = logging.getLogger("spendai")
LOOK_SECONDS = 1.0  # between two looks at the servers
PATIENCE = 1.0  # seconds to wait for a connection where the other server could answer instead
# Seconds after which a request gives up a primary that does not answer; after one more look it counts as away.
GIVEN_UP = LOOK_SECONDS + 2 * ANSWER_SECONDS + CONNECT_SECONDS
T = TypeVar("T")
_watched: list[Replica] = []  # the one of this worker, if there is a DATABASE_URL_READ
_stopping = threading.Event()


def watch(config: Config) -> None:
    """Called in a worker whose pools are open: look at the replica until ``stop``, if there is one."""
    if config.database_url_read:
        _watched[:] = [Replica.of(config)]
        _stopping.clear()
        threading.Thread(target=_watch, args=_watched[:], daemon=True).start()


def _watch(watched: Replica) -> None:
    """Until ``stop``: look at both servers; end long sessions of analysts on the replica, as db.py does elsewhere.

    Also on a replica that is too far behind to be read: these sessions may be what keeps it from replaying.
    """
    looks = 0
    while not _stopping.is_set():
        watched.look()
        if looks % round(db.WATCH_SECONDS / LOOK_SECONDS) == 0 and watched.problem in ("", *BEHIND):
            with suppress(psycopg.Error, KeyError), db.begin("read_auth", "spendai_auth") as tx:
                tx.call("analysts_end_long", db.LONGEST_ANALYSIS)
        looks += 1
        _stopping.wait(LOOK_SECONDS)
    watched.close()


def stop() -> None:
    """End the watch."""
    _watched.clear()
    _stopping.set()


def usable() -> bool:
    """Whether there is a replica that may answer now."""
    return _usable() is not None


def _usable() -> Replica | None:
    return next((watched for watched in _watched if not watched.problem), None)


def note_change(user_id: str) -> None:
    """Remember that this person has just changed something, where a replica may lack it."""
    if not _watched:
        return
    try:
        with db.scope("spendai_auth") as tx:
            tx.call("change_note", UUID(user_id))
        for watched in _watched:
            watched.primary_answers = True  # it has just answered: reads must ask it, also before the next look
    except psycopg.Error as error:
        log.warning("a change was not noted and may be missing in the next page sqlstate=%s", error.sqlstate)


class Reading(NamedTuple):
    """A transaction of a person who only reads. as_of: the moment as of which it answers; None: on the primary.

    checked: it is known to have what this person has changed; of a replica nobody knows while the primary is away.
    """

    tx: db.Transaction
    as_of: datetime | None
    checked: bool


@contextmanager
def reading(claims: Mapping[str, Any]) -> Iterator[Reading]:
    """A transaction on the replica where that may answer this person, else on the primary."""
    with ExitStack() as opened:
        watched = _usable()
        if watched and watched.primary_answers:
            known = _of_primary(watched, lambda tx: tx.call("change_position", UUID(claims["sub"])))
            moment, position = watched.as_of, known and known["change_position"]
            if tx := _caught_up(opened, claims, position):
                yield Reading(tx, moment, checked=known is not None)
                return
        elif watched:
            moment = watched.as_of
            yield Reading(opened.enter_context(db.begin("read", "authenticated", claims)), moment, checked=False)
            return
        yield Reading(opened.enter_context(db.scope("authenticated", claims)), None, checked=True)


def _caught_up(opened: ExitStack, claims: Mapping[str, Any], position: str | None) -> db.Transaction | None:
    """A transaction on the replica; None when that gives no connection, or has not replayed the position."""
    with suppress(psycopg.OperationalError), ExitStack() as opening:
        tx = opening.enter_context(db.begin("read", "authenticated", claims, PATIENCE))
        if position is None or tx.call("has_replayed", position)["has_replayed"]:
            opened.push(opening.pop_all())
            return tx
    return None


def _of_primary(watched: Replica, ask: Callable[[db.Transaction], T]) -> T | None:
    """What ``ask`` reads as spendai_auth on the primary; None when that was found to be away meanwhile."""
    end = time.monotonic() + GIVEN_UP
    while watched.primary_answers:
        try:
            with db.begin("auth", "spendai_auth", seconds=PATIENCE, quick=True) as tx:
                return ask(tx)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
    return None


def identify(ask: Callable[[db.Transaction], T]) -> T | None:
    """What ``ask`` reads as spendai_auth: on the primary, or on a usable replica while the primary is known to be away.

    Not because the primary is slow: a session that has ended must not be found on a replica that does not know it yet.
    """
    watched = _usable()
    if watched and watched.primary_answers and (found := _of_primary(watched, lambda tx: (ask(tx),))):
        return found[0]
    pool = "read_auth" if watched else "auth"
    try:
        with db.begin(pool, "spendai_auth") as tx:
            return ask(tx)
    except psycopg.Error as error:
        if not broke(error):
            raise
    with db.begin(pool, "spendai_auth") as tx:
        return ask(tx)


def _has_no_connection(error: psycopg.Error) -> bool:
    """Whether there was no connection, or it broke: classes 08 and 57P, or no SQLSTATE, since no server sent one."""
    state = error.sqlstate or ""
    return not state or state.startswith(("08", "57P"))


def broke(error: psycopg.Error) -> bool:
    """Whether a connection broke while it was used: another one may answer at once."""
    used = isinstance(error, psycopg.OperationalError) and not isinstance(error, PoolTimeout)
    return used and _has_no_connection(error)


def lost(error: psycopg.Error) -> bool:
    """Whether the primary may answer what failed on the replica with this error: there is no connection, or it broke,
    the server has no room (53), replaying the log cancelled the query (40001, 40P01), or the query writes (25006).
    """
    state = error.sqlstate or ""
    return _has_no_connection(error) or state.startswith("53") or state in ("40001", "40P01", "25006")
