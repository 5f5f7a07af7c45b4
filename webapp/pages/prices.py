"""Prices: what each model costs now; the ones without a price first."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from webapp import auth
from webapp.auth import login_required

bp = Blueprint("prices", __name__, url_prefix="/prices")


@bp.get("")
@login_required
def index() -> str:
    """The price list."""
    words = request.args.get("q", "").replace("\0", "")
    with auth.person() as tx:
        missing = tx.query("select * from public.unpriced_models order by calls desc, model")
        prices = tx.rows("price_list", words)
    return render_template("prices.html", missing=missing, prices=prices, words=words)
