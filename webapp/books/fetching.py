"""One whole fetch of OpenAI's books for one organization: everything or, with its error, nothing.

    fetch_as_owner(conn, config, org_id)          # a command, on the owner's connection
    fetch_own(config, auth.person)                # a signed-in admin

No transaction is open while OpenAI is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from webapp import db
from webapp.books.access import admins_organization, opened, read_as_proxy
from webapp.books.accounts import fetch_accounts
from webapp.books.administration import Administration
from webapp.books.compared import compare
from webapp.books.costs import fetch_costs
from webapp.books.counted import Span, fetch_days, fetch_minutes
from webapp.books.values import BooksError
from webapp.config import Config
from webapp.errors import ApiError

AGAIN, FIRST = 7, 34  # days before yesterday: OpenAI may restate them; at the first fetch
LONGEST = 400  # days of one fetch
Doubts = Callable[[date, date], list[Span]]  # what app.books_doubts says of a period


class Fetched(NamedTuple):
    """What a fetch stored. error: why it failed, else None; lines: of costs, in ``days`` days."""

    id: UUID
    from_day: date
    until_day: date
    days: int
    lines: int
    error: str | None


def fetch_as_owner(
    conn: psycopg.Connection[Any], config: Config, org_id: UUID, since: date | None = None, until: date | None = None
) -> Fetched:
    """Fetch as the database's owner; ``conn`` is in autocommit mode. until: not included. BooksError: nothing to do."""
    cursor = conn.cursor(row_factory=dict_row)
    row = cursor.execute("select * from app.admin_key_read(%s)", [org_id]).fetchone()

    def doubts(first: date, end: date) -> list[Span]:
        rows = cursor.execute("select * from app.books_doubts(%s, %s, %s)", [org_id, first, end]).fetchall()
        return [(each["since"], each["until"]) for each in rows]

    made = _made(row, (since, until), doubts, partial(opened, config, org_id, in_gateway=False))
    stored = cursor.execute("select app.books_store(%s, %s::jsonb) as id", [org_id, json.dumps(made)]).fetchone()
    return _told(stored["id"], made)


def fetch_own(
    config: Config,
    person: Callable[[], AbstractContextManager[db.Transaction]],
    since: date | None = None,
    until: date | None = None,
) -> Fetched:
    """Fetch for the organization of the signed-in admin; ``person`` begins a transaction as auth.person does.

    A fetch that failed is stored and returned with its error. Raises ApiError: 400 ``invalid_period``, 403
    ``admin_required``, 404 ``admin_key_not_found``.
    """
    with person() as tx:
        org_id = admins_organization(tx)

    def doubts(first: date, end: date) -> list[Span]:
        with person() as tx:
            return [(each["since"], each["until"]) for each in tx.rows("books_doubts", org_id, first, end)]

    row = read_as_proxy(config, org_id)
    if row is None:
        raise ApiError(404, "admin_key_not_found", "no OpenAI admin key is stored")
    try:
        made = _made(row, (since, until), doubts, partial(opened, config, org_id, in_gateway=True))
    except BooksError as error:
        raise ApiError(400, "invalid_period", str(error), "from") from None
    with person() as tx:
        stored = tx.query("select app.books_store_own(%s::jsonb) as id", json.dumps(made))
        compare(tx, date.fromisoformat(made["from_day"]), date.fromisoformat(made["until_day"]))
    return _told(stored[0]["id"], made)


def _made(
    row: dict[str, Any] | None,
    days: tuple[date | None, date | None],
    doubts: Doubts,
    open_row: Callable[[dict[str, Any]], Administration],
) -> dict[str, Any]:
    """A fetch as app.books_store takes it; with nothing but its error if anything failed."""
    if row is None:
        raise BooksError("no OpenAI admin key is stored")
    since, until = window(*days, first=not row["fetched"])
    made: dict[str, Any] = {"source": "api", "from_day": since.isoformat(), "until_day": until.isoformat()}
    api = None
    try:
        api = open_row(row)
        return made | _whole(api, since, until, doubts) | {"requests": api.requests}
    except BooksError as error:
        return made | {"error": str(error)[:1000], "requests": api.requests if api else 0}


def _whole(api: Administration, since: date, until: date, doubts: Doubts) -> dict[str, Any]:
    costs = fetch_costs(api, since, until)
    usage = fetch_days(api, since, until) + fetch_minutes(api, doubts(since, until))
    projects, keys = fetch_accounts(api)
    found = {"grain": costs.grain, "days": costs.days, "costs": costs.costs}
    return found | {"usage": usage, "projects": projects, "keys": keys}


def window(since: date | None, until: date | None, *, first: bool) -> tuple[date, date]:
    """The days to fetch, the second not included: yesterday and the 7 days before; 35 days at the first fetch."""
    today = datetime.now(UTC).date()
    until = until or max(today, since + timedelta(days=1) if since else today)
    since = since or until - timedelta(days=1 + (FIRST if first else AGAIN))
    if not since < until or since > today:
        raise BooksError(f"the period from {since} to {until} has no day that has begun")
    if (until - since).days > LONGEST:
        raise BooksError(f"one fetch has at most {LONGEST} days")
    return since, min(until, today + timedelta(days=1))


def _told(fetch_id: UUID, made: dict[str, Any]) -> Fetched:
    first, end = (date.fromisoformat(made[name]) for name in ("from_day", "until_day"))
    return Fetched(fetch_id, first, end, len(made.get("days", ())), len(made.get("costs", ())), made.get("error"))
