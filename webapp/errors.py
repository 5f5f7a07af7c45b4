"""Errors that the API and the pages answer with: every one becomes an ApiError, and ``init_app`` answers it.

An ApiError is raised in Python where the request itself is wrong (body, method, CSRF token), or made here from
- an error of the database (``from_database``): SQLSTATE ``PTnnn`` is HTTP status nnn, DETAIL the code, COLUMN the
  parameter, MESSAGE and HINT are for people; other SQLSTATEs become 400, 403, 500 or 503 without their text;
- an error that Flask raises (``from_http``), or gunicorn while it reads the body.

Below /api the answer is JSON as OpenAI writes errors, elsewhere a page. Calls to the proxy are not answered here: the
gateway answers their errors itself (webapp/gateway/). docs/errors.md lists all of them.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from flask import Flask, Response, jsonify, render_template, request
from gunicorn.http.errors import ParseException
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import ClientDisconnected, HTTPException

log = logging.getLogger("spendai")

TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
CANCELLED = "57014"  # SQLSTATE of a statement cancelled by statement_timeout (db.STATEMENT_TIMEOUT)
# SQLSTATEs of errors that pass by themselves: serialization failure, deadlock, lock time-out, and a server that is
# read-only, as a standby is that a failover has not made the primary yet.
BUSY = ("40001", "40P01", "55P03", "25006")


class ApiError(Exception):
    """An error with an HTTP status, a machine-readable code and a message that never holds a secret.

    Constants are raised with ``anew``: an exception keeps the frames through which it was raised, with the bodies and
    passwords in them, and one that is never freed would keep those of every request.
    """

    def __init__(self, status: int, code: str, message: str, param: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.hint = status, code, message, param, hint

    def anew(self) -> ApiError:
        """Another error of the same words."""
        return ApiError(self.status, self.code, self.message, self.param, self.hint)

    def body(self) -> dict[str, Any]:
        """The error in OpenAI's shape."""
        kind = TYPES.get(self.status, "api_error" if self.status >= 500 else "invalid_request_error")
        message = f"{self.message}. {self.hint}" if self.hint else self.message
        return {"error": {"message": message, "type": kind, "param": self.param, "code": self.code}}


DEFECT = ApiError(500, "internal_error", "Something went wrong on our side")
BROKEN_OFF = ApiError(400, "incomplete_body", "The request's body broke off")
TOO_SLOW = ApiError(408, "slow_body", "The request's body came too slowly")
ADMINS_ONLY = ApiError(403, "admin_required", "only an admin may do this")
CHANGED = ApiError(409, "changed_meanwhile", "Somebody else changed this at the same moment", hint="Try again")
# SQLSTATEs (or classes) that a request can cause. 23503: a row that it refers to is gone; 23505: the row exists.
REFUSED = {
    "22": ApiError(400, "invalid_value", "A value has the wrong form"),
    "42501": ApiError(403, "forbidden", "You may not do this"),
    "23503": CHANGED,
    "23505": CHANGED,
}


def from_database(error: psycopg.Error) -> ApiError:
    """The ApiError for an error of the database; an SQLSTATE not named here becomes 500, and the log names it."""
    state, diag = error.sqlstate or "", error.diag
    if state.startswith("PT") and state[2:].isdigit():
        return ApiError(
            int(state[2:]),
            diag.message_detail or "error",
            diag.message_primary or "",
            diag.column_name,
            diag.message_hint,
        )
    if isinstance(error, psycopg.DataError) and not state:
        return REFUSED["22"]  # psycopg refused to send it
    if message := _unavailable(error, state):
        hint = "Ask for a shorter period, or try again" if state == CANCELLED else "Try again"
        return ApiError(503, "database_unavailable", message, hint=hint)
    if known := REFUSED.get(state) or REFUSED.get(state[:2]):
        return known
    log.error("database error sqlstate=%s constraint=%s", state, diag.constraint_name)
    return DEFECT


def as_api_error(error: ApiError | psycopg.Error) -> ApiError:
    """The ApiError itself, or the one for an error of the database."""
    return from_database(error) if isinstance(error, psycopg.Error) else error


def _unavailable(error: psycopg.Error, state: str) -> str | None:
    """The message for an error after which trying again may help; None for every other error."""
    if state == CANCELLED:
        return "The database took too long to answer"
    if isinstance(error, PoolTimeout) or state[:2] in ("08", "57") or not state:
        return "The database cannot be reached right now"
    if state[:2] == "53" or state in BUSY:
        return "The database cannot do this right now"
    return None


def from_http(error: HTTPException) -> ApiError:
    """The ApiError for an error that Flask raised (no such route, wrong method, body too large)."""
    status = error.code or 500
    return ApiError(status, (error.name or "error").lower().replace(" ", "_"), error.description or error.name)


def init_app(app: Flask) -> None:
    """Answer every error as JSON below /api and as a page elsewhere; what nobody expected is logged and becomes 500."""

    def answer(error: ApiError) -> tuple[Response | str, int]:
        if request.path.startswith("/api/") or request.path.rstrip("/") in ("/healthz", "/readyz", "/metrics"):
            return jsonify(error.body()), error.status
        return render_template("error.html", error=error), error.status

    @app.errorhandler(ApiError)
    def _api_error(error: ApiError) -> tuple[Response | str, int]:
        return answer(error)

    @app.before_request
    def _refuse_half_a_body() -> None:
        """Let werkzeug compare a body with its Content-Length: half a form is a form with other, shorter values.

        It does so unless the server claims that its input ends with the body, as gunicorn does for every request.
        """
        if "HTTP_TRANSFER_ENCODING" not in request.environ:
            request.environ.pop("wsgi.input_terminated", None)

    @app.errorhandler(ParseException)
    @app.errorhandler(ClientDisconnected)
    def _half_a_body(error: ParseException | ClientDisconnected) -> tuple[Response | str, int]:
        """A body that ended before its length, came too slowly (webapp/server/peers.py), or is not in chunks."""
        return answer(TOO_SLOW if isinstance(error.__context__, TimeoutError) else BROKEN_OFF)

    @app.errorhandler(psycopg.Error)
    def _database_error(error: psycopg.Error) -> tuple[Response | str, int]:
        return answer(from_database(error))

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Any:
        if (error.code or 500) < 400:
            return error
        kept = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")]
        return *answer(from_http(error)), kept

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> tuple[Response | str, int]:
        log.exception("unexpected %s on %s %s", type(error).__name__, request.method, request.path)
        return answer(DEFECT)
