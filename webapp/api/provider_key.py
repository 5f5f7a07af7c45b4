"""/provider-key: the OpenAI key of the organization or of a project; it can be stored, but not read."""

from __future__ import annotations

from typing import Any

from flask import current_app, request

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.inputs import as_id, fields
from webapp.api.shape import listed, plain
from webapp.errors import ApiError
from webapp.secrets import provider_keys


@bp.get("/provider-key")
def provider_key() -> dict[str, Any]:
    project_id = as_id(request.args.get("project_id"))
    with auth.person() as tx:
        for row in tx.rows("provider_key_list"):
            if row["project_id"] == project_id:
                return plain(row)
    raise ApiError(404, "provider_key_not_found", "no OpenAI key is stored")


@bp.get("/provider-key/versions")
def provider_key_versions() -> dict[str, Any]:
    """The history of keys, the latest first; a call names its version as provider_key_id."""
    with auth.person() as tx:
        return listed(tx.rows("provider_key_history"))


@bp.put("/provider-key")
def set_provider_key() -> dict[str, Any]:
    body = fields()
    key, base_url = body.text("key"), body.text("base_url", needed=False)
    project_id = as_id(body.text("project_id", needed=False) or request.args.get("project_id"))
    new = provider_keys.ProviderKey(key, base_url, project_id, confirmed=bool(body.flag("confirm_shared")))
    with auth.person() as tx:
        return plain(provider_keys.store(tx, current_app.config["SPENDAI"], new))


@bp.delete("/provider-key")
def delete_provider_key() -> tuple[str, int]:
    with auth.person() as tx:
        tx.call("provider_key_delete", as_id(request.args.get("project_id")))
    return "", 204
