"""Addresses that only take forms, such as /team/invitations: each belongs to the page above it in the path.

Where such a form is refused, its page stands at that address. A person who loads it again, or is sent back to it after
a log-in, comes to the page.
"""

from __future__ import annotations

from flask import Flask, current_app, redirect, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response

from webapp.auth.csrf import came_from
from webapp.auth.sessions import STATELESS
from webapp.pages.scope import asked


def page_of_form() -> str:
    """Address of the page that this request's form belongs to; empty where a page has the address itself."""
    pages, path = current_app.create_url_adapter(request), request.path
    if pages is None:
        return ""
    while path and not pages.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path + asked() if path not in ("", request.path) else ""


def init_app(app: Flask) -> None:
    """Lead who opens the address of a form to its page; page_of_form() and came_from() for templates."""
    app.add_template_global(page_of_form)
    app.add_template_global(came_from)

    @app.before_request
    def _open_page() -> Response | None:
        no_page = isinstance(request.routing_exception, MethodNotAllowed) and request.method == "GET"
        if no_page and not request.path.startswith(STATELESS) and (page := page_of_form()):
            return redirect(page, 303)
        return None
