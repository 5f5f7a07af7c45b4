"""The JSON API below /api/v1: SQL functions called over HTTP, one module for each family of routes.

Only a Bearer token signs in here, a cookie never does. Imports auth, books, secrets and the modules directly in
webapp/.
"""

from __future__ import annotations

from flask import Flask

from webapp.api import (  # noqa: F401  # add their routes
    account,
    admin_key,
    books,
    keys,
    members,
    openapi,
    parameters,
    projects,
    provider_key,
    reports,
)
from webapp.api.blueprint import bp


def init_app(app: Flask) -> None:
    """Register all routes."""
    app.register_blueprint(bp)
