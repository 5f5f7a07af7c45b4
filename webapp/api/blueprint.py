"""The blueprint to which every module of this package adds its routes, and the check of the token before each route."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from webapp.auth.identity import identity
from webapp.auth.people import welcome_outsider
from webapp.errors import ApiError

BODY_BYTES = 2**16  # parsing takes some milliseconds at most, in which the worker's calls wait
PUBLIC = {"api.signup", "api.login", "api.refresh", "api.document"}  # endpoints that need no token

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.before_request
def _sign_in() -> None:
    request.max_content_length = BODY_BYTES
    if request.endpoint not in PUBLIC:
        g.token = bearer()
        g.claims = identity().verify(g.token)
        if request.endpoint != "api.logout":
            welcome_outsider()


def bearer() -> str:
    """The access token of the request; ApiError 401 without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "missing_token", "send an access token in the Authorization header: Bearer …")
    return token.strip()


@bp.after_request
def _name_the_scheme(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
