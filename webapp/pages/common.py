"""What pages share: running a change that SQL may refuse, and reading the period and filters of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from flask import request
from werkzeug.datastructures import MultiDict

from webapp import auth, db, filters
from webapp.errors import ApiError, as_api_error
from webapp.filters import FILTERS, Query
from webapp.pages.picks import picks, read_names
from webapp.pages.scope import PERIOD, VIEW, VIEW_HERE, FilterError, Scope
from webapp.pages.wrong import in_words

T = TypeVar("T")
PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "month": "This month",
    "last-month": "Last month",
    "custom": "Custom",
}


def attempt(act: Callable[[db.Transaction], T]) -> tuple[T | None, ApiError | None]:
    """Run one change. An error of 400 or 409 is returned, to be shown beside the form; any other is raised."""
    try:
        with auth.person() as tx:
            return act(tx), None
    except (psycopg.Error, ApiError) as error:
        refusal = as_api_error(error)
        if refusal.status in (400, 409):
            return None, refusal
        raise


def found(row: dict[str, Any] | None, what: str) -> dict[str, Any]:
    """The row; ApiError 404 for None: rows of another organization look like missing ones."""
    if row is None:
        raise ApiError(404, "not_found", f"no such {what}")
    return row


def organization_zone(tx: db.Transaction | None = None) -> ZoneInfo:
    """The time zone of the person's organization. tx: a transaction of theirs that is open already."""
    me = auth.me(tx)
    return ZoneInfo(me["time_zone"]) if me else filters.UTC_ZONE


def read_query(args: MultiDict[str, str], tx: db.Transaction | None = None) -> Query:
    """``filters.read`` for the filter form, in the organization's zone.

    The form sends both dates even when a named period is chosen, ``exclude`` for each filter whose values are to be
    left out, and ``shown`` as the period for one that is not made of whole days. ApiError 400 in words of a page.
    """
    clean = MultiDict(args)
    shown = {name: clean.pop(f"shown_{name}", "") for name in ("from", "to")}
    period = clean.get("period")
    if period in ("custom", "shown"):
        clean.pop("period")
        if period == "shown":
            for name, word in shown.items():
                clean[name] = word  # instead of the date that the form sends as well
    elif period:
        clean.poplist("from")
        clean.poplist("to")
    for name in set(clean.poplist("exclude")) & set(FILTERS):
        clean.setlist(f"not_{name}", clean.getlist(f"not_{name}") + clean.poplist(name))
    try:
        return filters.read(clean, organization_zone(tx), inclusive=True)
    except ApiError as error:
        raise in_words(error, clean) from None


def read_period(tx: db.Transaction | None = None) -> tuple[Query, ApiError | None]:
    """The Query of this request; or, with what is wrong about its period, one of the usual period."""
    try:
        return read_query(request.args, tx), None
    except ApiError as error:
        right = MultiDict(request.args)
        for name in PERIOD:
            right.poplist(name)
        return read_query(right, tx), error


def read_scope(tx: db.Transaction, extra: dict[str, Any] | None = None, *, choices: bool = True, **fixed: str) -> Scope:
    """The Scope of this request. Raises FilterError.

    choices: whether the page has a form of filters; without, their values are read only to name those in use.
    fixed: filters the page sets itself, such as its project.
    """
    query, error = read_period(tx)
    for name, value in fixed.items():
        query.filters.pop(f"not_{name}", None)
        query.filters[name] = [value]
    groups, known = read_names(tx, query) if choices or query.filters else ({}, {})
    names = {name: dict(pair for _, values in groups[name] for pair in values) for name in groups}
    kept = {name: request.args.getlist(name) for name in (*VIEW, *VIEW_HERE) if request.args.get(name)} | (extra or {})
    shown = picks(query.filters, groups, known, [name for name in FILTERS if choices and name not in fixed])
    scope = Scope(query, kept, names, tuple(fixed), shown, error)
    if error:
        raise FilterError(error, scope)
    return scope
