"""Prices: the current list and models without a price, the history of one model, and the organization's own prices."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db, filters
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.common import attempt
from webapp.pages.sorting import read_sorting

bp = Blueprint("prices", __name__)
FIELDS = ("model", "dimension", "service_tier", "context_min_tokens", "qualifier", "unit_price", "unit_qty",
          "valid_from", "note")  # fmt: skip
COLUMNS = {"in_use": True, "model": False, "input": True, "cached": True, "output": True, "valid_from": True}
EXPORTED = ("model", "input", "cached", "output", "extra", "valid_from", "own_price", "in_use")


def _typed(model: str = "") -> dict[str, str]:
    """Values of the form: those that were sent, else a price per million tokens from today on."""
    usual = {"model": model, "dimension": "input_text", "service_tier": "standard", "context_min_tokens": "0"}
    usual |= {"unit_qty": "1000000", "valid_from": datetime.now(UTC).date().isoformat()}
    return {name: request.form.get(name, usual.get(name, "")) for name in FIELDS}


def _form(tx: db.Transaction, model: str = "", error: ApiError | None = None) -> dict[str, object]:
    """Template variables of the form for an own price."""
    dimensions = [row["dimension"] for row in tx.rows("price_dimensions")]
    tiers = [row["tier"] for row in tx.query("select unnest(app.price_tiers()) as tier")]
    return {
        "typed": _typed(model),
        "error": error,
        "tiers": [(tier, tier) for tier in tiers],
        "dimensions": [(dimension, dimension.replace("_", " ")) for dimension in dimensions],
    }


@bp.get("/prices")
@login_required
def index(error: ApiError | None = None) -> str:
    """The price list and its age; a model in the query string is filled into the form."""
    words = request.args.get("q", "").replace("\0", "")
    sorting = read_sorting(COLUMNS, lambda word: url_for(".index", q=words or None, sort=word))
    with auth.person() as tx:
        now = datetime.now(UTC)
        age, lately = tx.call("price_list_age", now), tx.rows("unpriced_lately", now)
        missing = tx.rows("unpriced_list", words)
        prices = sorting.sorted(tx.rows("price_list", words))
        form = _form(tx, request.args.get("model", ""), error)
    return render_template("prices.html", age=age, lately=lately, missing=missing, prices=prices, words=words,
                           sorting=sorting, **form)  # fmt: skip


@bp.get("/prices.csv")
@bp.get("/prices.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The same table, as a file."""
    words = request.args.get("q", "").replace("\0", "")
    with auth.person() as tx:
        prices = tx.rows("price_list", words)
    for price in prices:
        price["extra"] = "; ".join(price["extra"])
    return export.answer("prices", EXPORTED, prices)


@bp.post("/prices")
@login_required
def add() -> Response | tuple[str, int]:
    """Add a price that only this organization pays."""
    price, error = attempt(_add)
    if error or price is None:
        return index(error), error.status if error else 500
    flash(f"Price of {price['model']} added; it counts for calls from {price['valid_from']:%Y-%m-%d} on.", "good")
    return redirect(url_for("prices.show", model=price["model"]), 303)


def _add(tx: db.Transaction) -> dict[str, object] | None:
    words: dict[str, object] = {name: request.form.get(name, "").strip() for name in FIELDS}
    words["context_min_tokens"] = _whole(str(words["context_min_tokens"] or "0"))
    words["valid_from"] = _day(str(words["valid_from"]))
    return tx.call("price_add", *words.values())


def _whole(text: str) -> int:
    found = filters.whole(text, 0, 2**31 - 1)
    if found is not None:
        return found
    raise ApiError(400, "invalid_value", "this is a whole number of tokens", "context_min_tokens")


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        raise ApiError(400, "invalid_date", "this is a date such as 2026-01-31", "valid_from") from None


@bp.get("/prices/<path:model>")
@login_required
def show(model: str) -> str:
    """Every price of a model, newest first."""
    with auth.person() as tx:
        rows = tx.rows("price_history", model.replace("\0", ""))
    if not rows:
        raise ApiError(404, "not_found", "no such model in the price list")
    return render_template("price_history.html", model=rows[0]["model"], rows=rows)
