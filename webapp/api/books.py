"""/books: OpenAI's books beside the ledger, by day, line, month, and what was spent past SpendAI."""

from __future__ import annotations

from typing import Any

from flask import request

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.shape import listed, plain
from webapp.books import compared
from webapp.errors import ApiError

MONTHS = 13


@bp.get("/books/days")
def books_days() -> dict[str, Any]:
    since, until = compared.period(request.args)
    with auth.person() as tx:
        rows, totals = compared.days(tx, since, until)
    return listed(rows) | {"totals": plain(totals)}


@bp.get("/books/days/<day>")
def books_day(day: str) -> dict[str, Any]:
    with auth.person() as tx:
        found = compared.one_day(tx, day)
    if found is None:
        raise ApiError(404, "day_not_found", "OpenAI's books have nothing of this day")
    return plain(found)


@bp.get("/books/months")
def books_months() -> dict[str, Any]:
    with auth.person() as tx:
        compared.compare_months(tx, MONTHS)
        return listed(tx.rows("books_months", MONTHS))


@bp.get("/books/dark-spend")
def books_dark_spend() -> dict[str, Any]:
    since, until = compared.period(request.args)
    with auth.person() as tx:
        compared.compare(tx, since, until)
        return listed(tx.rows("dark_keys", since, until))
