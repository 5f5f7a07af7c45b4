"""End users, and tags: what each cost in a period."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Blueprint, Response, render_template, request

from webapp import auth, db
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.listing import Listing, read_listing
from webapp.pages.spend_export import facts

bp = Blueprint("labels", __name__)
COLUMNS = {"cost": True, "label": False, "calls": True, "change": True, "last_day": True}
EXPORTED = ("calls", "unknown_calls", "cost", "cost_before", "unknown_before", "change", "last_day")


def _rows(
    tx: db.Transaction, listing: Listing, by: str, name: str, place: tuple[int, int | None]
) -> list[dict[str, Any]]:
    return tx.rows("label_page", by, name, *listing.periods, listing.search, listing.order, *place)


def _listing() -> tuple[Listing, str]:
    """The list of this request, and the name of the tag whose values it has, if any."""
    name = request.args.get("tag_name", "").replace("\0", "")
    return read_listing(COLUMNS if name else COLUMNS | {"label_values": True}, tag_name=name), name


def _facts(listing: Listing) -> Iterator[tuple[str, Any]]:
    """What the sheet About says: the search that chose the rows, and the sums of all calls of the period."""
    yield from listing.facts()
    if listing.search:
        yield "Sums on this sheet", "of all calls of the period, not only of the rows found"
    yield from facts()


@bp.get("/end-users")
@login_required
def end_users() -> str:
    """A page of the end users that clients named with their calls."""
    listing = read_listing(COLUMNS)
    with auth.person() as tx:
        rows = _rows(tx, listing, "end_user", "", listing.place)
    pages = listing.pages(rows[0]["all_labels"] if rows else 0)
    return render_template("end_users.html", rows=rows, pages=pages, listing=listing, scope=listing.period)


@bp.get("/end-users.csv")
@bp.get("/end-users.xlsx", endpoint="end_users_workbook")
@login_required
def end_users_table() -> Response:
    """All end users of the same query string, as a file."""
    listing = read_listing(COLUMNS)
    with auth.person() as tx:
        rows = _rows(tx, listing, "end_user", "", (0, None))
    words = (row | {"end_user": row["label"]} for row in rows)
    return export.period_answer("end-users", ("end_user", *EXPORTED), words, listing.period.query, _facts(listing))


@bp.get("/tags")
@login_required
def tags() -> str:
    """Names of tags; with ``tag_name`` the values of that tag, and the calls without it."""
    listing, name = _listing()
    with auth.person() as tx:
        rows = _rows(tx, listing, "tag" if name else "tag_name", name, listing.place)
    pages = listing.pages(rows[0]["all_labels"] if rows else 0)
    return render_template("tags.html", rows=rows, pages=pages, listing=listing, scope=listing.period, name=name)


@bp.get("/tags.csv")
@bp.get("/tags.xlsx", endpoint="tags_workbook")
@login_required
def tags_table() -> Response:
    """The same rows as a file: names of tags, or the values of one."""
    listing, name = _listing()
    with auth.person() as tx:
        rows = _rows(tx, listing, "tag" if name else "tag_name", name, (0, None))
    columns = ("tag", "value", *EXPORTED) if name else ("tag", "label_values", *EXPORTED)
    words = ({"tag": name, "value": row["label"]} if name else {"tag": row["label"]} for row in rows)
    named = (row | word for row, word in zip(rows, words, strict=True))
    about = chain([("Values of the tag", name)] if name else [], _facts(listing))
    return export.period_answer("tags", columns, named, listing.period.query, about)
