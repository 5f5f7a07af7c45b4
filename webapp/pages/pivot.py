"""Two breakdowns at once as a table: one as rows, the other as columns, with totals."""

from __future__ import annotations

from typing import Any

from flask import request
from psycopg.types.json import Jsonb

from webapp import db
from webapp.pages.breakdown import BY, Breakdown, single
from webapp.pages.measures import unknown_calls
from webapp.pages.scope import Scope
from webapp.pages.wrong import no_such

TOP = 10  # rows and columns of their own
WORDS = ("project", "key", "model", "person", "endpoint", "service_tier", "status", "end_user")


def chosen_and() -> str:
    """What the columns are by; empty for a table of one breakdown. Raises ApiError 400."""
    word = request.args.get("and", "")
    if word and word not in WORDS:
        raise no_such("and", word)
    return word


def choices(scope: Scope, shown: Breakdown, chosen: str) -> list[tuple[str, str, bool]]:
    """The choices of a second breakdown: words, address and whether it is the one in use."""
    if shown.by == "kind" or shown.overlaps:
        return []
    gone = single(scope) | set(scope.fixed) | {shown.by}
    other = [(BY[word], scope.link(**{"and": word}), word == chosen) for word in WORDS if word not in gone]
    return [("nothing", scope.link(**{"and": None}), not chosen), *other]


def pivot(tx: db.Transaction, shown: Breakdown, chosen: str) -> dict[str, Any] | None:
    """rows, columns and cells of the table; place 0 has the totals.

    None where there is no second breakdown, or no call for it: of a dropped month there may be totals alone.
    """
    if not chosen or shown.by in (chosen, "kind") or shown.overlaps:
        return None
    query, across = shown.scope.query, Breakdown(shown.scope, chosen)
    found = tx.rows(
        "spend_pivot", query.since, query.until, query.zone.key, shown.by, chosen, Jsonb(query.filters), TOP,
        shown.tag_name or None,
    )  # fmt: skip
    if not found:
        return None
    rows = {one["row_place"]: _side(shown, one, "row") for one in found if one["row_place"]}
    columns = {one["column_place"]: _side(across, one, "column") for one in found if one["column_place"]}
    places = [(r, c) for r in (*rows, 0) for c in (*columns, 0)]
    cells = {(one["row_place"], one["column_place"]): one | {"unknown_calls": unknown_calls(one)} for one in found}
    return {
        "words": across.words,
        "rows": sorted(rows.items()),
        "columns": sorted(columns.items()),
        "cells": {place: cells.get(place) for place in places},
    }


def _side(shown: Breakdown, one: dict[str, Any], side: str) -> dict[str, Any]:
    """The name of a row or column and the filter for its calls."""
    row = {name: one[f"{side}_{name}"] for name in ("id", "name", "members")}
    return {"title": shown.title(row), "only": shown.only(row)}
