"""What pages share: running a change that SQL may refuse, and the period and filters of a page with their links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import psycopg
from flask import request, url_for
from psycopg.types.json import Jsonb
from werkzeug.datastructures import MultiDict

from webapp import auth, db, filters
from webapp.errors import ApiError, from_database
from webapp.filters import Query
from webapp.written import day

T = TypeVar("T")
PERIODS = {
    "today": "Today",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "month": "This month",
    "last-month": "Last month",
    "custom": "Custom",
}
# Cost status of a call → its words on pages.
STATUSES = {
    "priced": "priced",
    "free": "free",
    "error": "error, not billed",
    "tier_fallback": "priced at the standard tier",
    "unpriced_model": "no price for this model",
    "unpriced_dimension": "no price for a part of it",
    "no_usage": "no usage reported",
    "pending_object": "result not seen yet",
    "in_doubt": "in doubt",
}


def attempt(act: Callable[[db.Transaction], T]) -> tuple[T | None, ApiError | None]:
    """Run one change. An error of 400 or 409 is returned, to be shown beside the form; any other is raised."""
    try:
        with auth.person() as tx:
            return act(tx), None
    except (psycopg.Error, ApiError) as error:
        known = from_database(error) if isinstance(error, psycopg.Error) else error
        if known.status in (400, 409):
            return None, known
        raise


def found(row: dict[str, Any] | None, what: str) -> dict[str, Any]:
    """The row; ApiError 404 for None: rows of another organization look like missing ones."""
    if row is None:
        raise ApiError(404, "not_found", f"no such {what}")
    return row


def admin_only() -> None:
    """ApiError 403 for a page that only admins need; SQL refuses the change itself in any case."""
    me = auth.me()
    if me is None or me["role"] != "admin":
        raise ApiError(403, "admin_required", "only an admin may do this")


@dataclass(frozen=True)
class Scope:
    """The period and filters of one page, and links that change one thing about them."""

    query: Query
    extra: dict[str, str]  # other query string parameters that links keep, such as by=model
    names: dict[str, dict[str, str]]  # filter → its choices: value → text
    fixed: tuple[str, ...] = ()  # filters that the path sets, such as a project: no chip, not in links

    @property
    def words(self) -> tuple[Any, Any, Jsonb]:
        """from, to and filters as every SQL function takes them."""
        return self.query.since, self.query.until, Jsonb(self.query.filters)

    @property
    def days(self) -> str:
        """The period as days: 24 Oct 2026 – 22 Nov 2026."""
        first, last = self.query.since, self.query.until - timedelta(microseconds=1)
        return day(first) if first.date() == last.date() else f"{day(first)} – {day(last)}"

    @property
    def before(self) -> str:
        """The text for the period with which this one is compared."""
        count = (self.query.until - self.query.since).days
        return (
            "yesterday by now"
            if self.query.period == "today"
            else f"previous {count} days"
            if count > 1
            else "the day before"
        )

    def args(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the query string with changes; None removes one."""
        own = filters.as_args(self.query) | self.extra
        words = {name: word for name, word in own.items() if name not in self.fixed} | changes
        if words.get("period") == "30":
            del words["period"]
        return {name: word for name, word in words.items() if word}

    def link(self, page: str | None = None, /, **changes: Any) -> str:
        """This page, or another one with the same period and filters, with changes."""
        here = request.view_args if page is None else {}
        words = urlencode(self.args(**changes), doseq=True)  # not by url_for, which takes `endpoint` for itself
        return url_for(page or request.endpoint or "", **(here or {})) + ("?" + words if words else "")

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """(filter, text of its value, link without it) of every filter in use."""
        return [
            (
                name.replace("_", " "),
                self.names.get(name, {}).get(value, value),
                self.link(**{name: [v for v in values if v != value]}),
            )
            for name, values in self.query.filters.items()
            if name not in self.fixed
            for value in values
        ]


def read_query(args: MultiDict[str, str]) -> Query:
    """``filters.read`` for the filter form, which sends both dates even when a named period is chosen."""
    clean = MultiDict(args)
    if clean.get("period") == "custom":
        clean.pop("period")
    elif clean.get("period"):
        clean.poplist("from")
        clean.poplist("to")
    return filters.read(clean)


def read_scope(tx: db.Transaction, extra: dict[str, str] | None = None, **fixed: str) -> Scope:
    """The Scope of this request. fixed: filters the page sets itself, such as its project."""
    query = read_query(request.args)
    query.filters.update({name: [value] for name, value in fixed.items()})
    names = {
        "project": {
            str(r["id"]): r["name"] for r in tx.query("select id, name from public.projects order by lower(name), id")
        },
        "model": {row["model"]: row["model"] for row in tx.rows("models_seen", query.since, query.until)},
        "cost_status": STATUSES,
        "key": {
            str(r["id"]): f"{r['name']} · {r['prefix']}…"
            for r in tx.query("select id, name, prefix from public.api_keys order by lower(name), prefix")
        },
    }
    return Scope(query, extra or {}, names, tuple(fixed))
