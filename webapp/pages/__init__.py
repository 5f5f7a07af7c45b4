"""The pages: one module with a blueprint for each family of pages. Decorators hold the whole path of each page.

Imports auth, books, replica, secrets and the modules directly in webapp/. Helpers of all pages: admins, common, forms,
scope, picks, listing, sorting, wrong, charts, and for files export and sheets. Of Spend and a project's page: report,
breakdown, measures, grains, colours, spend_charts, pivot. Of Calls: calls_columns, call_words. Of OpenAI's books:
reasons. Of a new key and the first steps: clients. Of the export of everything: organization_export.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, render_template, request, url_for

from webapp import filters, written
from webapp.pages import (
    account,
    admins,
    audit,
    books,
    books_close,
    books_learned,
    books_links,
    calls_export,
    forms,
    keys,
    labels,
    organization,
    prices,
    profile,
    projects,
    settings,
    spend_export,
    team,
    websockets,
)
from webapp.pages.common import PERIODS
from webapp.pages.scope import FilterError, asked, carried

FOREVER = "public, max-age=31536000, immutable"


@lru_cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def init_app(app: Flask) -> None:
    """Register every page, the Jinja filters, and asset(): the address of a static file with a hash of its content."""

    def asset(name: str) -> str:
        return url_for("static", filename=name, v=_digest(Path(app.static_folder or "") / name))

    # spend_export and calls_export add their routes to the blueprints of spend and calls.
    money = (spend_export, calls_export, websockets, prices, books, books_links, books_learned, books_close)
    for family in (account, *money, projects, keys, team, labels, settings, organization, audit, profile):
        app.register_blueprint(family.bp)
    written.init_app(app)
    forms.init_app(app)
    app.jinja_env.lstrip_blocks = True  # do not send the indentation of template tags
    app.add_template_global(asset)
    app.add_template_global(lambda: datetime.now(UTC), "now")
    app.add_template_filter(filters.filter_value)
    app.jinja_env.globals |= {"periods": PERIODS, "asked": asked, "carried": carried, "admins_to_ask": admins.to_ask}

    @app.errorhandler(FilterError)
    def _filter_error(error: FilterError) -> tuple[str, int]:
        return render_template("filters.html", scope=error.scope), error.status

    @app.after_request
    def _keep_assets(response: Response) -> Response:
        if request.endpoint == "static" and request.args.get("v") and response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = FOREVER
        return response
