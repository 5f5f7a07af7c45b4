"""What OpenAI's books teach the ledger: calls that a minute of them proves, and prices that OpenAI really bills."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth
from webapp.auth import login_required
from webapp.books import compared
from webapp.errors import ApiError
from webapp.pages.books import month_of, state_of
from webapp.pages.common import attempt
from webapp.written import many

bp = Blueprint("books_learned", __name__)


@bp.get("/books/learned")
@login_required
def index(error: ApiError | None = None) -> str:
    """Calls that can be closed with OpenAI's evidence, and rates that can become the organization's own prices."""
    with auth.person() as tx:
        since, until = month_of(request.values, state_of(tx)["newest"])
        compared.compare(tx, since, until)
        calls, rates = tx.rows("evidence_list", since, until), tx.rows("own_rate_offer", since, until)
    models: dict[str, list[dict[str, object]]] = {}
    for rate in rates:
        models.setdefault(rate["model"], []).append(rate)
    before = since - timedelta(days=1)
    return render_template("books_learned.html", calls=calls, models=models, since=since, error=error, before=before,
                           after=until)  # fmt: skip


@bp.post("/books/learned/calls/<uuid:call_id>")
@login_required
def close(call_id: UUID) -> Response | tuple[str, int]:
    """Close a call with the minute that proves it."""
    _, error = attempt(lambda tx: tx.call("evidence_close", call_id))
    if error:
        return index(error), error.status
    flash("Closed with what OpenAI counted. The evidence stands in the audit log.", "good")
    return redirect(url_for("calls.show", call_id=call_id), 303)


@bp.post("/books/learned/rates")
@login_required
def take() -> Response | tuple[str, int]:
    """Make the rate that OpenAI bills for a model the organization's own price, from today on."""
    model, (since, until) = request.form.get("model", ""), month_of(request.form, None)
    made, error = attempt(lambda tx: tx.call("own_rate_take", model, since, until))
    if error:
        return index(error), error.status
    count = (made or {}).get("own_rate_take", 0)
    flash(f"{many(count, 'price')} of {model} added as your own from today (UTC) on.", "good")
    return redirect(url_for(".index", month=f"{since:%Y-%m}"), 303)
