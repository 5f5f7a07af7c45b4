"""Signing in: providers, browser sessions, CSRF, and who is asking.

Imports replica, secrets and the modules directly in webapp/.

from webapp import auth
with auth.person() as tx: …      # one transaction as the signed-in person, page or API
auth.read(lambda tx: …)          # what it reads in one transaction; read again when the server fails meanwhile
auth.admins_only()               # ApiError 403 for everybody but admins
auth.me()                        # user_id, email, role, org_id, organization, books, is_demo, time_zone; or None
"""

from __future__ import annotations

from typing import Any

import psycopg
from flask import Flask, g, redirect, render_template, request, session, url_for
from flask_login import LoginManager, login_required
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from webapp.auth import csrf, security_headers
from webapp.auth.people import admins_only, load_user, me, nobody_yet, shown_me
from webapp.auth.providers import choose
from webapp.auth.sessions import STATELESS, DatabaseSessions
from webapp.auth.transactions import as_of, broke, lags_since, leaves_replica, note_change, person, read
from webapp.errors import ApiError

__all__ = ["admins_only", "as_of", "init_app", "login_required", "me", "person", "read"]

# Of a form: a larger one, or one of very many fields, takes so long to parse that the worker's calls would notice.
FORM_BYTES, FORM_FIELDS = 2**16, 500
URL_ENCODED = "application/x-www-form-urlencoded"
AS_OF = "x-spendai-as-of"


class Manager(LoginManager):
    """flask-login without its remember cookie: only a row of private.web_sessions says who is signed in."""

    def _load_user_from_remember_cookie(self, cookie: str) -> None:
        return None


def init_app(app: Flask) -> None:
    """Sessions, log-in, CSRF and headers for all pages. Raises ConfigError."""
    config = app.config["SPENDAI"]
    secure = config.public_url.startswith("https://")
    app.extensions["identity"] = choose(config)
    app.session_interface = DatabaseSessions(secure)
    manager = Manager(app)
    manager.session_protection = None  # it ends a session when the client address changes, as it does on phones
    manager.user_loader(load_user)
    manager.unauthorized_handler(_ask_to_log_in)
    app.before_request(_guard)
    app.after_request(_end)
    _dispatch_again(app)
    app.context_processor(lambda: {"me": shown_me(), "lags_since": lags_since(), "as_of": as_of()})
    app.add_template_global(csrf.csrf_token)
    security_headers.init_app(app, secure)


def _dispatch_again(app: Flask) -> None:
    """Answer a request that only reads again when the server failed in the middle of it.

    From the primary when the replica failed; from either when the connection to the primary broke, as in a failover.
    """
    dispatch = app.dispatch_request

    def dispatch_request() -> Any:
        try:
            return dispatch()
        except psycopg.Error as error:
            if not leaves_replica(error):
                if not broke(error):
                    raise
                if "changed_by" not in g:  # nothing was answered yet: the replica may answer all of it
                    g.pop("primary", None)
        return dispatch()

    app.dispatch_request = dispatch_request  # type: ignore[method-assign]


def _end(answer: Response) -> Response:
    """After every request: note a change, and say as of when the replica answered."""
    if answer.status_code < 400:
        note_change()
    if moment := as_of():
        answer.headers[AS_OF] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return answer


def _guard() -> Any:
    """Before every page: refuse a session that cannot be read, and a form that is large, has a NUL or is not ours.

    People without an organization are sent to the page on which they make one.
    """
    if request.endpoint in (None, "static") or request.path.startswith(STATELESS):
        return None
    if session.problem:
        raise session.problem
    request.max_content_length = FORM_BYTES
    if request.mimetype == URL_ENCODED and request.get_data().count(b"&") >= FORM_FIELDS:
        raise RequestEntityTooLarge
    if any("\0" in value for value in request.form.values()):
        raise ApiError(400, "invalid_value", "a form field contains a NUL character")
    if (answer := csrf.check()) is not None:
        return answer
    if request.blueprint not in ("account", "profile") and session.person and me() is None:
        return redirect(url_for("account.organization"))
    return None


def _ask_to_log_in() -> Response | tuple[str, int] | str:
    if request.path == "/" and request.method == "GET" and not request.query_string:
        return render_template("account/login.html", next="/", token=None, nobody_yet=nobody_yet())  # the front page
    if request.method not in csrf.SAFE:
        return csrf.log_in_first()
    return redirect(url_for("account.login", next=csrf.safe_path(request.full_path.rstrip("?"))))
