"""Transactions of the signed-in person, and what a request knows of the servers that answer it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from flask import g, request, session

from webapp import db
from webapp.auth.csrf import SAFE
from webapp.errors import ApiError
from webapp.replica import reading
from webapp.written import day

log = logging.getLogger("spendai")
LAGS = timedelta(seconds=10)  # a page that is older says so
WRITES = "25006"  # SQLSTATE of what a replica refuses because it writes
T = TypeVar("T")


def claims() -> dict[str, Any] | None:
    """Claims of the Bearer token below /api, else of the browser session; None for somebody not signed in."""
    if "claims" in g:
        return g.claims
    person = getattr(session, "person", None)
    return person.claims if person else None


@contextmanager
def person(*, writes: bool = False) -> Iterator[db.Transaction]:
    """One transaction as the signed-in person; ApiError 401 when nobody is signed in.

    A request that only reads (GET) may get one of the read replica, unless this transaction ``writes`` all the same.
    A server that fails meanwhile ends the transaction with an error; ``read`` asks again then.
    """
    known = claims()
    if known is None:
        raise ApiError(401, "not_signed_in", "sign in first")
    if writes:
        g.changed_by = known["sub"]
    if writes or request.method not in SAFE or g.get("primary"):
        with db.scope("authenticated", known) as tx:
            yield tx
        return
    with reading.reading(known) as found:
        if found.as_of is None:
            g.primary = True  # no part of the answer may be older than another that was read before
        else:
            g.as_of = min(found.as_of, g.get("as_of", found.as_of))
            g.unchecked = g.get("unchecked", False) or not found.checked
        yield found.tx


def read(fetch: Callable[[db.Transaction], T]) -> T:
    """What ``fetch`` reads in one transaction of the signed-in person; asked again when the server failed."""
    before = as_of()
    try:
        with person() as tx:
            return fetch(tx)
    except psycopg.Error as error:
        if not (leaves_replica(error) or broke(error)):
            raise
    if before:
        g.as_of = before  # what was read before, such as the first rows of a file, is as old as it was
    with person() as tx:
        return fetch(tx)


def leaves_replica(error: psycopg.Error) -> bool:
    """Whether this request failed because it read the replica; if so, it reads the primary from now on."""
    if "as_of" not in g or g.get("primary") or not reading.lost(error):
        return False
    if error.sqlstate != WRITES:  # no fault: pages of OpenAI's books write when they compare their days anew
        log.warning("read again from the primary: %s sqlstate=%s", request.endpoint, error.sqlstate)
    g.primary = True
    g.pop("as_of")
    return True


def broke(error: psycopg.Error) -> bool:
    """Whether a request that only reads lost its connection to the primary, for the first time: it may ask again."""
    if request.method not in SAFE or "broke" in g or not reading.broke(error):
        return False
    g.broke = True
    log.warning("read again on a new connection: %s sqlstate=%s", request.endpoint, error.sqlstate)
    return True


def as_of() -> datetime | None:
    """The moment as of which the replica answered this request; None when the primary did."""
    return g.get("as_of")


def lags_since() -> str:
    """When the replica answered, as a time of the organization's zone, where people must be told; else empty.

    They must when it is more than LAGS ago, or when nobody knows whether the replica has what they have just changed.
    """
    moment, now = as_of(), datetime.now(UTC)
    if moment is None or (now - moment <= LAGS and not g.get("unchecked")):
        return ""
    zone = ZoneInfo(g.me["time_zone"]) if g.get("me") else UTC
    time = f"{moment.astimezone(zone):%H:%M:%S}"
    return time if day(moment, zone) == day(now, zone) else f"{day(moment, zone)} {time}"


def changed(user_id: str) -> None:
    """This person has changed something: from now on they read nothing from a replica that lacks it."""
    g.changed_by, g.primary = user_id, True


def note_change() -> None:
    """After a request that went well: remember who may have changed something, and which member it was about."""
    if request.method not in SAFE or "changed_by" in g:
        known, member = claims(), (request.view_args or {}).get("user_id")
        who = g.get("changed_by") or (known and known["sub"])
        for user_id in {str(each) for each in (who, member) if each}:
            reading.note_change(user_id)
