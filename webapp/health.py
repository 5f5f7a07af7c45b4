"""/healthz: the worker answers. /readyz: it can take calls: the database answers and commits, and no old spool is
unsettled.
"""

from __future__ import annotations

from flask import Flask

from webapp import db
from webapp.errors import ApiError
from webapp.postgres import migrations

MONTHS = 2  # /readyz warns when fewer months after this one have a partition of usage_logs


def init_app(app: Flask) -> None:
    """Register /healthz and /readyz."""
    newest = migrations.newest()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "service": "spendai"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        version = db.schema_version()
        if version is None or version < newest:
            raise ApiError(503, "database_unavailable", "The database cannot be reached or is not migrated")
        ledger = app.gateway.ledger
        if ledger is None or not ledger.replayed:
            raise ApiError(503, "spool_not_replayed", "Calls spooled by an earlier run are not settled yet")
        if ledger.refusing:
            raise ApiError(503, "ledger_unavailable", "The last call was refused: the database did not commit it, "
                           "or its clock differs from this machine's")  # fmt: skip
        found = {"status": "ok"}
        # While several gateways are updated one after the other, those that are still to come serve a newer database.
        if version > newest:
            found["warning"] = f"the database is newer than this gateway ({version}): update the gateway"
        elif db.months_ahead() < MONTHS:
            found["warning"] = f"usage_logs has partitions for fewer than {MONTHS} months ahead: run flask migrate"
        return found
