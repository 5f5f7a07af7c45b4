"""Spend of a period: totals, charts and breakdown; before the first call, the steps to it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Blueprint, current_app, render_template

from webapp import auth, db
from webapp.auth import login_required
from webapp.pages.clients import filled
from webapp.pages.common import read_scope
from webapp.pages.report import kept, report

bp = Blueprint("spend", __name__)


def setup(tx: db.Transaction) -> dict[str, Any]:
    """Template variables of the first steps: which are done, and how clients are pointed at the proxy."""
    return {
        "setup": tx.call("setup_state"),
        "form_id": str(uuid4()),
        "clients": filled(current_app.config["SPENDAI"].public_url + "/api/v1/proxy"),
    }


@bp.get("/")
@login_required
def index() -> str:
    """Spend of the organization."""
    with auth.person() as tx:
        start = setup(tx)
        last = start["setup"]["last_call_at"]
        if last is None:
            return render_template("start.html", **start)
        shown = report(tx, read_scope(tx, kept()), "project")
    words = {"r": shown, "last_call": last, "setup": start["setup"]}
    return render_template("spend.html", **words, **shown)
