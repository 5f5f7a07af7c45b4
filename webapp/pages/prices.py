"""Prices: the current list and models without a price, the history of one model, and the organization's own prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db, filters
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.common import attempt
from webapp.pages.picks import narrowed
from webapp.pages.sorting import read_sorting
from webapp.written import SHARES, places, rate

bp = Blueprint("prices", __name__)
FIELDS = ("model", "dimension", "service_tier", "context_min_tokens", "qualifier", "unit_price", "unit_qty",
          "valid_from", "note")  # fmt: skip
COLUMNS = {"in_use": True, "model": False, "input": True, "cached": True, "output": True, "valid_from": True}
# Prices that no model has to itself, by the name under which they are stored.
ANY_MODEL = {"*tools": "tools, any model", "*tokens": "tokens, any model"}
FAR = 10  # an own price this many times the list price, or this part of it, may be mistyped
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
    """The price list and its age; a model in the query string is filled into the form.

    Without a search it is cut to the models in use and those with an own price, unless there are none, or ``all`` is
    in the query string.
    """
    words, everything = request.args.get("q", "").replace("\0", ""), bool(request.args.get("all"))
    sorting = read_sorting(COLUMNS, lambda word: url_for(".index", q=words or None, all=everything or None, sort=word))
    with auth.person() as tx:
        now = datetime.now(UTC)
        age, lately = tx.call("price_list_age", now), tx.rows("unpriced_lately", now)
        missing = tx.rows("unpriced_list", words)
        prices = sorting.sorted(tx.rows("price_list", words))
        form = _form(tx, request.args.get("model", ""), error)
    own = [price for price in prices if price["in_use"] or price["own_price"]]
    cut = bool(own) and not words and not everything
    shown = own if cut else prices
    decimals = {column: min(4, places(price[column] for price in shown)) for column in ("input", "cached", "output")}
    return render_template("prices.html", age=age, lately=lately, missing=missing, prices=shown, decimals=decimals,
                           cut=cut, known=len(prices), own=own, words=words, sorting=sorting, any_model=ANY_MODEL,
                           **form)  # fmt: skip


@bp.get("/prices.csv")
@bp.get("/prices.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The whole price list or what a search finds of it, as a file."""
    words = request.args.get("q", "").replace("\0", "")
    with auth.person() as tx:
        prices = tx.rows("price_list", words)
    for price in prices:
        price["extra"] = "; ".join(price["extra"])
    return export.answer("prices", EXPORTED, prices, narrowed(words))


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
    made = tx.call("price_add", *words.values())
    if made and request.form.get("confirm") != "yes":
        _ask_about_typos(made, tx.rows("price_history", made["model"]))
    return made


def _ask_about_typos(made: dict[str, Any], known: list[dict[str, Any]]) -> None:
    """ApiError 409, which undoes the new price, where it is very far from the list price of the same thing."""
    for row in known:  # the newest first
        if row["own"] or (row["valid_from"] and row["valid_from"] > made["valid_from"]):
            continue
        if all(row[name] == made[name] for name in ("dimension", "service_tier", "context_min_tokens", "qualifier")):
            ours, usual = (abs(price["unit_price"] / price["unit_qty"]) for price in (made, row))
            if usual / FAR <= ours <= usual * FAR or not usual:
                return
            words = f"more than {FAR} times" if ours > usual else "less than a tenth of"
            raise ApiError(409, "price_far_off", f"this is {words} the list price, {rate(row)}", "unit_price",
                           "Is it right? Then tick the box")  # fmt: skip


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
    """The prices of a model that are in force, tier beside tier, and below them every one it ever had, newest first."""
    with auth.person() as tx:
        rows = tx.rows("price_history", model.replace("\0", ""))
        dimensions = tx.rows("price_dimensions")
        tiers = [row["tier"] for row in tx.query("select unnest(app.price_tiers()) as tier")]
    if not rows:
        raise ApiError(404, "not_found", "no such model in the price list")
    place = {row["dimension"]: number for number, row in enumerate(dimensions)}
    tiered = [row["dimension"] for row in dimensions if row["kind"] in ("input", "output")]  # all else is standard
    now = [row for row in rows if row["in_force"]]
    meters = sorted({_meter(row) for row in now}, key=lambda meter: (place.get(meter[0], len(place)), meter))
    cells = {(_meter(row), row["service_tier"]): row for row in now}
    tiers = [tier for tier in tiers if any(row["service_tier"] == tier for row in now)]
    name = ANY_MODEL.get(rows[0]["model"], rows[0]["model"])
    decimals = places(row["unit_price"] for row in now if row["dimension"] not in SHARES)
    return render_template("price_history.html", model=rows[0]["model"], name=name, rows=rows, meters=meters,
                           cells=cells, tiers=tiers, tiered=tiered, shares=SHARES, decimals=decimals)  # fmt: skip


def _meter(row: dict[str, Any]) -> tuple[str, int, str, Decimal]:
    """What a price is for, whatever the tier; a price for another number of units is a row of its own."""
    return row["dimension"], row["context_min_tokens"], row["qualifier"], row["unit_qty"]
