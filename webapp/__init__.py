"""SpendAI: a proxy in front of the OpenAI API that records what every call cost."""
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from webapp.config import Config


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application: errors, sign-in, API, pages and commands in Flask, and in front of Flask the gateway
    and the sessions over WebSocket.

    Imports are inside because the launcher and gunicorn.conf.py import this package too and must start fast.
    """
    from flask import Flask

    from webapp import api, auth, commands, compress, errors, health, logs, pages
    from webapp.config import ROOT, load
    from webapp.gateway.gateway import Gateway
    from webapp.metrics import scrape
    from webapp.postgres import time_zones
    from webapp.websocket.door import Door

    config = config or load()
    if config.embedded:
        time_zones.share()
    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    app.config["SPENDAI"] = config
    app.url_map.strict_slashes = False  # a slash at the end of a path does not matter, as in the proxy
    for part in (logs, compress, errors, auth, health, scrape, api, pages, commands):
        part.init_app(app)
    app.gateway = Gateway(app.wsgi_app, config)
    app.sessions = Door(app.gateway)
    app.wsgi_app = app.sessions
    return app
