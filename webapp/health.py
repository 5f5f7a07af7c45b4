"""/healthz: the process lives. /readyz: it can do its work."""

from __future__ import annotations

from flask import Flask

from webapp import db
from webapp.errors import ApiError

MONTHS = 2  # fewer months of usage_logs made ahead than this are worth a word


def init_app(app: Flask) -> None:
    """Register both."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "service": "spendai"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        if not db.ready():
            raise ApiError(503, "database_unavailable", "The database cannot be reached or is not migrated")
        ledger = app.gateway.ledger
        if ledger is None or not ledger.replayed:
            raise ApiError(503, "spool_not_replayed", "Calls spooled by an earlier run are not settled yet")
        found = {"status": "ok"}
        if db.months_ahead() < MONTHS:
            found["warning"] = "usage_logs is prepared for less than two months ahead: run flask migrate"
        return found
