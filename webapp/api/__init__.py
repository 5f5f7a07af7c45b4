"""The JSON API below /api/v1: thin calls of SQL functions, one module for each family of routes.

Only a Bearer token signs in here, a cookie never does. Imports auth, secrets and what lies on the floor of webapp/.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, g, request

from webapp.api import account, keys, members, openapi, projects, provider_key, reports
from webapp.auth.identity import identity
from webapp.auth.people import welcome_outsider
from webapp.errors import ApiError

BODY_BYTES = 2**20
PUBLIC = {"api.signup", "api.login", "api.refresh", "api.document"}  # reachable by strangers; everything else is not


def init_app(app: Flask) -> None:
    """Register all routes."""
    bp = Blueprint("api", __name__, url_prefix="/api/v1")
    for family in (account, members, projects, keys, provider_key, reports, openapi):
        family.routes(bp)
    bp.before_request(_sign_in)
    bp.after_request(_name_the_scheme)
    app.register_blueprint(bp)


def _sign_in() -> None:
    request.max_content_length = BODY_BYTES
    if request.endpoint not in PUBLIC:
        g.token = bearer()
        g.claims = identity().verify(g.token)
        if request.endpoint != "api.logout":
            welcome_outsider()


def bearer() -> str:
    """The access token of the request."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "missing_token", "send an access token in the Authorization header: Bearer …")
    return token.strip()


def _name_the_scheme(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
