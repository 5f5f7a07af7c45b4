"""/admin-key: the OpenAI admin key, with which OpenAI's books are fetched; it can be stored, but not read."""

from __future__ import annotations

from typing import Any

from flask import current_app

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.inputs import fields
from webapp.api.shape import plain
from webapp.books import access
from webapp.errors import ApiError


@bp.get("/admin-key")
def admin_key() -> dict[str, Any]:
    """fetched_at: of the newest complete fetch; failed_at, error: of the last attempt, if it failed."""
    with auth.person() as tx:
        row = tx.call("admin_key_show")
    if row is None:
        raise ApiError(404, "admin_key_not_found", "no OpenAI admin key is stored")
    return plain(row)


@bp.put("/admin-key")
def set_admin_key() -> dict[str, Any]:
    """Try the key with OpenAI, then store it. Two transactions: none is open while OpenAI is asked."""
    body, config = fields("NewAdminKey"), current_app.config["SPENDAI"]
    with auth.person() as tx:
        access.admins_organization(tx)
    new = access.tried(config, body.text("key") or "", body.text("base_url", needed=False))
    with auth.person() as tx:
        return plain(access.store(tx, config, new))


@bp.delete("/admin-key")
def delete_admin_key() -> tuple[str, int]:
    with auth.person() as tx:
        tx.call("admin_key_delete")
    return "", 204
