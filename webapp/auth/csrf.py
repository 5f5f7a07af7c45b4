"""CSRF: a form needs the token of its session, and its browser must not name another site as the origin."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import urlsplit

from flask import current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webapp.auth.sessions import WebSession

SAFE = ("GET", "HEAD", "OPTIONS")
BEFORE_SIGN_IN = ("account.login", "account.signup", "account.password", "account.invitation",
                  "account.recovery")  # fmt: skip


def csrf_token() -> str:
    """The token of this browser's forms, an HMAC of the session id: showing a form stores nothing."""
    return _token(session.identify()) if isinstance(session, WebSession) else ""


def _token(session_id: str) -> str:
    key = current_app.config["SPENDAI"].secret_key.encode()
    return hmac.new(key, b"csrf/" + session_id.encode(), hashlib.sha256).hexdigest()


def check() -> Response | tuple[str, int] | None:
    """None for a request that may go on; else the answer that refuses it."""
    if request.method in SAFE:
        return None
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token", "")
    if session.id and hmac.compare_digest(_token(session.id).encode(), sent.encode()) and _from_here():
        return None
    if not session.person and request.endpoint not in BEFORE_SIGN_IN and _from_here():
        return log_in_first()
    return render_template("account/csrf.html", back=came_from()), 403


def log_in_first() -> Response:
    """The session ended while a form was open: the log-in says that nothing was changed, and leads back to the form."""
    if request.endpoint == "account.logout":
        return redirect(url_for("account.login"))
    return redirect(url_for("account.login", next=came_from(), unsent=1))


def _from_here() -> bool:
    """Whether Sec-Fetch-Site, or else Origin, names this site; true for a client that sends neither."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin in _our_origins()


def _our_origins() -> tuple[str | None, str | None]:
    """The origins of PUBLIC_URL and of this request, which differ where people use localhost for 127.0.0.1."""
    return _origin(current_app.config["SPENDAI"].public_url), _origin(request.host_url)


def _origin(url: str) -> str | None:
    """The origin of a URL as browsers write it; None when it is no URL."""
    try:
        parts = urlsplit(url)
        port = {("http", 80): None, ("https", 443): None}.get((parts.scheme, parts.port), parts.port)
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def came_from() -> str:
    """The page that held the form, as a path of this site."""
    sent = request.referrer or ""
    if not sent or _origin(sent) not in _our_origins():
        return "/"
    parts = urlsplit(sent)
    return safe_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def safe_path(path: str | None) -> str:
    """A path of this site to go on to, else "/". Browsers read //host and /\\host as another site."""
    if path and re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", path):
        return path
    return "/"
